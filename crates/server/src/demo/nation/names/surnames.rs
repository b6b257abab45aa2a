//! Surnames in the man's form; the commoner ones first, as they are drawn more often.

/// Latvian, and long at home in Latvia.
#[rustfmt::skip]
pub(super) const LATVIAN: &[&str] = &[
    "Bērziņš", "Kalniņš", "Ozoliņš", "Jansons", "Ozols", "Liepiņš", "Krūmiņš", "Balodis", "Eglītis",
    "Zariņš", "Pētersons", "Vītols", "Kļaviņš", "Kārkliņš", "Vanags", "Siliņš", "Jēkabsons", "Kalējs",
    "Priede", "Rozītis", "Liepa", "Kalns", "Lācis", "Zvirbulis", "Dzenis", "Krastiņš", "Āboliņš",
    "Straumanis", "Ābols", "Auziņš", "Apinis", "Ansons", "Arājs", "Avotiņš", "Baltiņš", "Bērzs", "Bite",
    "Bergs", "Birznieks", "Briedis", "Brūveris", "Bušs", "Caune", "Cielavs", "Cīrulis", "Cīrulnieks",
    "Dambis", "Dambītis", "Dālderis", "Daugaviņš", "Dreimanis", "Dzērve", "Dūmiņš", "Dūmanis", "Egle",
    "Elksnis", "Elksnītis", "Endziņš", "Freimanis", "Feldmanis", "Gailis", "Gailītis", "Gaigals",
    "Gredzens", "Graudiņš", "Grants", "Grīnbergs", "Grīnfelds", "Gulbis", "Jaunzems", "Jirgensons",
    "Irbe", "Indriksons", "Jakobsons", "Jaunarājs", "Kundziņš", "Kažoks", "Kāpostiņš", "Kauliņš",
    "Ķirsis", "Klints", "Krauklis", "Krēsliņš", "Krievāns", "Krauze", "Kronbergs", "Kreicbergs",
    "Ķēniņš", "Lapiņš", "Lapsa", "Lasmanis", "Laukmanis", "Lauva", "Leimanis", "Lielais", "Līcis",
    "Līdaka", "Lūsis", "Lukss", "Lazdiņš", "Lejnieks", "Liepājnieks", "Mazais", "Mazurs", "Medenis",
    "Meija", "Melbārdis", "Melderis", "Mežs", "Miezis", "Miķelsons", "Mednis", "Mūrnieks", "Mauriņš",
    "Mucenieks", "Neimanis", "Niedre", "Niedrītis", "Ozolnieks", "Osis", "Ošs", "Paegle", "Pakalns",
    "Pavārs", "Pelēkais", "Plūme", "Podnieks", "Pļaviņš", "Poga", "Puriņš", "Putniņš", "Pūce",
    "Purmalis", "Rācenis", "Ratnieks", "Reinis", "Riekstiņš", "Robežnieks", "Roze", "Rubenis",
    "Rudzītis", "Rutks", "Rudzis", "Saulītis", "Sietiņš", "Sīlis", "Skuja", "Skudra", "Skujiņš",
    "Spriņģis", "Sproģis", "Stabiņš", "Stalts", "Strautiņš", "Straupenieks", "Strods", "Stūrmanis",
    "Strazdiņš", "Strazds", "Sūniņš", "Šmits", "Šteinbergs", "Šulcs", "Šneiders", "Tauriņš", "Tērauds",
    "Tomsons", "Timermanis", "Treimanis", "Ulmanis", "Upītis", "Urbāns", "Vilks", "Vilciņš", "Vīksne",
    "Vīgants", "Veidemanis", "Vējš", "Vējonis", "Vanadziņš", "Viļumsons", "Virsnieks", "Vilnis",
    "Vītoliņš", "Zaķis", "Zālītis", "Zeltiņš", "Zemītis", "Zemgals", "Ziediņš", "Zirnis", "Zvaigzne",
    "Zvejnieks", "Znotiņš", "Žagars", "Žīgurs", "Žubītis", "Šķēle", "Šķiņķis", "Ķauķis", "Grāvītis",
    "Grāvis", "Dravnieks", "Ezeriņš", "Ezergailis", "Kokins", "Lagzdiņš", "Maldonis", "Muižnieks",
    "Pētersils", "Pūriņš", "Rasa", "Salmiņš", "Stepiņš", "Tilgalis", "Tūters", "Vācietis", "Vēveris",
];

/// Russian, Belarusian and Ukrainian.
#[rustfmt::skip]
pub(super) const SLAVIC: &[&str] = &[
    "Ivanovs", "Vasiļjevs", "Petrovs", "Smirnovs", "Kuzņecovs", "Fjodorovs", "Jegorovs", "Ņikitins",
    "Popovs", "Volkovs", "Pavlovs", "Orlovs", "Semjonovs", "Andrejevs", "Mihailovs", "Ševčenko",
    "Romanovs", "Bogdanovs", "Kovaļenko", "Jakovļevs", "Grigorjevs", "Zaicevs", "Morozovs", "Sokolovs",
    "Solovjovs", "Stepanovs", "Medvedevs", "Makarovs", "Maksimovs", "Kiseļovs", "Lebedevs", "Antonovs",
    "Aleksejevs", "Baranovs", "Beļajevs", "Beļovs", "Bogomolovs", "Borisovs", "Čerņavskis", "Daņilovs",
    "Dmitrijevs", "Dorofejevs", "Filipovs", "Gavrilovs", "Golubevs", "Guščins", "Isajevs", "Jefimovs",
    "Jermakovs", "Kalašņikovs", "Karpovs", "Kazakovs", "Kirillovs", "Kozlovs", "Krilovs", "Kuļikovs",
    "Ļebedevs", "Loginovs", "Matvejevs", "Melņikovs", "Mironovs", "Moisejevs", "Nazarovs", "Ņikiforovs",
    "Ņikolajevs", "Novikovs", "Osipovs", "Pankratovs", "Poļakovs", "Prokofjevs", "Rodionovs",
    "Savickis", "Sergejevs", "Sidorovs", "Sorokins", "Tarasovs", "Tihomirovs", "Timofejevs",
    "Trofimovs", "Vinogradovs", "Vlasovs", "Voronovs", "Zaharovs", "Žukovs", "Bondarenko", "Kravčenko",
    "Tkačenko", "Koroļovs", "Gusevs", "Kotovs", "Maslovs", "Abramovs", "Ščerbakovs", "Šubins", "Šilovs",
    "Frolovs", "Čistjakovs", "Lazarevs", "Koļesņikovs", "Gerasimovs",
];

/// Polish, mostly of Latgale.
#[rustfmt::skip]
pub(super) const POLISH: &[&str] = &[
    "Kovaļevskis", "Jankovskis", "Kozlovskis", "Sakovičs", "Višņevskis", "Makovskis", "Butkevičs",
    "Urbanovičs", "Stankevičs", "Rutkovskis", "Lipskis", "Zeļenskis", "Bogdanovičs", "Zaļevskis",
    "Mickevičs", "Žukovskis", "Sadovskis", "Malinovskis", "Rogovskis", "Dombrovskis", "Voicehovskis",
    "Grabovskis", "Ostrovskis", "Pavlovskis", "Adamovičs", "Jackevičs", "Kuprevičs", "Lisovskis",
    "Maļinovskis", "Šimanskis", "Sosnovskis", "Vaickovskis", "Vincevičs", "Zarembo", "Baranovskis",
    "Čerņevskis", "Gžibovskis", "Kaminskis", "Krasovskis", "Lukaševičs",
];

/// Lithuanian.
#[rustfmt::skip]
pub(super) const LITHUANIAN: &[&str] = &[
    "Kazlausks", "Petrausks", "Jankausks", "Žukausks", "Sakalausks", "Vasiļausks", "Paulausks",
    "Stankūns", "Ģedimins", "Adomaitis", "Balčūns", "Čepaitis", "Grigaitis", "Jonaitis", "Juškevičs",
    "Kairis", "Mažeika", "Narbuts", "Simanaitis", "Žemaitis", "Žvirblis", "Daukšts", "Rudaitis",
    "Urbons",
];
