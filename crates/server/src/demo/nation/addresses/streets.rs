//! Words that streets and farmsteads are named from.

/// Genitives that stand before *iela*; the commoner ones first, in groups of 16.
#[rustfmt::skip]
pub(super) const STREETS: &[&str] = &[
    "Brīvības", "Rīgas", "Skolas", "Parka", "Dārza", "Pils", "Liepu", "Ozolu", "Bērzu", "Meža", "Jāņa",
    "Tautas", "Saules", "Upes", "Stacijas", "Raiņa", "Kalna", "Lauku", "Ziedu", "Ābeļu", "Blaumaņa",
    "Aspazijas", "Barona", "Valdemāra", "Čaka", "Miera", "Tērbatas", "Stabu", "Kļavu", "Priežu", "Rožu",
    "Vītolu", "Ezera", "Jūras", "Krasta", "Daugavas", "Gaujas", "Lielupes", "Ventas", "Dzirnavu",
    "Amatnieku", "Kalēju", "Audēju", "Mūrnieku", "Kuģu", "Ostas", "Tirgus", "Baznīcas", "Celtnieku",
    "Strēlnieku", "Lāčplēša", "Kronvalda", "Ausekļa", "Pumpura", "Poruka", "Veidenbauma", "Upīša",
    "Brāļu", "Torņa", "Dzelzceļa", "Rūpniecības", "Fabrikas", "Pasta", "Slimnīcas", "Bērzpils", "Sporta",
    "Stadiona", "Jaunatnes", "Draudzības", "Vienības", "Cerību", "Avotu", "Strauta", "Grāvja",
    "Dzintara", "Smilšu", "Kāpu", "Viļņu", "Zvejnieku", "Bāku", "Vārpu", "Rudzu", "Auzu", "Linu",
    "Āboliņa", "Pļavu", "Ganību", "Tīruma", "Sila", "Vēju", "Mākoņu", "Zvaigžņu", "Mēness", "Rīta",
    "Vakara", "Dienvidu", "Ziemeļu", "Austrumu", "Rietumu", "Pavasara", "Vasaras", "Rudens", "Ziemas",
    "Lakstīgalu", "Cīruļu", "Dzeņu", "Stārķu", "Gulbju", "Vanagu", "Ērgļu", "Bezdelīgu", "Dzeguzes",
    "Irbju", "Mednieku", "Vilku", "Lapsu", "Briežu", "Stirnu", "Zaķu", "Vāveru", "Ežu", "Lūšu", "Bebru",
    "Ūdru", "Aveņu", "Ogu", "Zemeņu", "Mellenāju", "Brūkleņu", "Dzērveņu", "Kadiķu", "Egļu", "Lazdu",
    "Kastaņu", "Ošu", "Alkšņu", "Apšu", "Pīlādžu", "Ievu", "Ceriņu", "Jasmīnu", "Tulpju", "Neļķu",
    "Liliju", "Magoņu", "Rudzupuķu", "Pīpeņu", "Vizbuļu", "Peoniju", "Dāliju", "Kviešu", "Miežu",
    "Rūpnieku", "Mehanizatoru", "Arāju", "Sējēju", "Pļāvēju", "Dravnieku", "Biškopju", "Ratnieku",
    "Podnieku", "Stikla", "Ķieģeļu", "Kaļķu", "Māla", "Akmens", "Granīta", "Šķūņu", "Svētes", "Abavas",
    "Salacas", "Ogres", "Mēmeles", "Mūsas", "Aiviekstes", "Pededzes", "Vidzemes", "Kurzemes",
    "Zemgales", "Latgales", "Sēlijas", "Cēsu", "Valmieras", "Siguldas", "Madonas", "Tukuma", "Talsu",
    "Kuldīgas", "Dobeles", "Bauskas", "Jelgavas", "Liepājas",
];

/// What is made of a genitive, the commonest first.
pub(super) const STREET_FORMS: &[(&str, &str)] = &[
    ("", " iela"),
    ("", " šķērsiela"),
    ("Mazā ", " iela"),
    ("", " gatve"),
    ("", " aleja"),
    ("Vecā ", " iela"),
    ("", " prospekts"),
    ("Lielā ", " iela"),
    ("", " laukums"),
    ("Jaunā ", " iela"),
    ("", " bulvāris"),
    ("", " ceļš"),
    ("", " līnija"),
    ("Garā ", " iela"),
];

/// Names of farmsteads, unique inside a parish together with a prefix.
#[rustfmt::skip]
pub(super) const FARMSTEADS: &[&str] = &[
    "Kalniņi", "Bērziņi", "Ozoli", "Liepas", "Kļavas", "Eglaines", "Priedes", "Vītoli", "Krūmiņi",
    "Lejnieki", "Kalēji", "Dzirnavas", "Muižnieki", "Upmaļi", "Ezermaļi", "Strauti", "Avoti", "Vanagi",
    "Dzeņi", "Cīruļi", "Baloži", "Zvirbuļi", "Irbes", "Rubeņi", "Mednieki", "Lapsas", "Vilki", "Lāči",
    "Zaķi", "Āpši", "Bebri", "Ūdri", "Saulgrieži", "Saulrīti", "Rītiņi", "Ausmas", "Zvaigznes",
    "Vējiņi", "Mākoņi", "Rasas", "Ziediņi", "Rozes", "Magones", "Vizbuļi", "Pīlādži", "Lazdas", "Apses",
    "Oši", "Alkšņi", "Kārkli", "Niedres", "Dumbrāji", "Purvmaļi", "Silmaļi", "Mežmaļi", "Mežvidi",
    "Pļavnieki", "Laukmaļi", "Tīrumi", "Druvas", "Vārpas", "Rudzīši", "Miezīši", "Linmaņi", "Āboliņi",
    "Ganiņi", "Stalti", "Arāji", "Kūlēji", "Dravnieki", "Bitenieki", "Mūrnieki", "Podnieki", "Audēji",
    "Kurpnieki", "Skroderi", "Ratnieki", "Mucenieki", "Pavāri", "Zvejnieki", "Laivnieki", "Kapteiņi",
    "Krastiņi", "Salas", "Līči", "Ragi", "Grantiņi", "Akmeņi", "Smiltiņi", "Māliņi", "Grāvji", "Tilti",
    "Ceļmalas", "Krustceļi", "Vārti", "Sētas", "Klētnieki", "Rijnieki", "Pirtnieki", "Dārznieki",
    "Ābeles", "Bumbieri", "Plūmes", "Ķirši", "Ogulāji", "Avenes", "Mārtiņi", "Jēkabi", "Pētermuiža",
    "Annas", "Ilzītes", "Jurģi", "Indrāni", "Mieriņi", "Cerības", "Draugi", "Laimas", "Sapņi",
    "Stirnas", "Brieži", "Dimanti", "Dzintari",
];

/// Prefixes of farmsteads; all but the first are followed by a small letter.
pub(super) const FARMSTEAD_PREFIXES: &[&str] = &[
    "", "Jaun", "Vec", "Kalna", "Lejas", "Maz", "Liel", "Upes", "Meža", "Pļavas", "Vidus", "Aiz",
];
