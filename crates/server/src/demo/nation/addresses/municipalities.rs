//! The 43 municipalities: 7 state cities and 36 districts, with their towns and a good part of their parishes.
//!
//! Names and sizes are Latvia's; the codes have the shape of the classification of administrative territories.

use super::{Municipality, Town};

#[rustfmt::skip]
pub(in super::super) const MUNICIPALITIES: &[Municipality] = &[
    Municipality {
        name: "Rīga", genitive: "Rīgas", code: "0001000", size: 605,
        longitude: 24105000, latitude: 56949000, post_code: 1001,
        towns: &[Town { name: "Rīga", size: 605 }],
        parishes: &[],
    },
    Municipality {
        name: "Daugavpils", genitive: "Daugavpils", code: "0002000", size: 78,
        longitude: 26536000, latitude: 55875000, post_code: 5401,
        towns: &[Town { name: "Daugavpils", size: 78 }],
        parishes: &[],
    },
    Municipality {
        name: "Jelgava", genitive: "Jelgavas", code: "0003000", size: 54,
        longitude: 23713000, latitude: 56648000, post_code: 3001,
        towns: &[Town { name: "Jelgava", size: 54 }],
        parishes: &[],
    },
    Municipality {
        name: "Jūrmala", genitive: "Jūrmalas", code: "0004000", size: 51,
        longitude: 23770000, latitude: 56968000, post_code: 2008,
        towns: &[Town { name: "Jūrmala", size: 51 }],
        parishes: &[],
    },
    Municipality {
        name: "Liepāja", genitive: "Liepājas", code: "0005000", size: 66,
        longitude: 21011000, latitude: 56505000, post_code: 3401,
        towns: &[Town { name: "Liepāja", size: 66 }],
        parishes: &[],
    },
    Municipality {
        name: "Rēzekne", genitive: "Rēzeknes", code: "0006000", size: 26,
        longitude: 27332000, latitude: 56510000, post_code: 4601,
        towns: &[Town { name: "Rēzekne", size: 26 }],
        parishes: &[],
    },
    Municipality {
        name: "Ventspils", genitive: "Ventspils", code: "0007000", size: 32,
        longitude: 21561000, latitude: 57394000, post_code: 3601,
        towns: &[Town { name: "Ventspils", size: 32 }],
        parishes: &[],
    },
    Municipality {
        name: "Aizkraukles novads", genitive: "Aizkraukles", code: "0020000", size: 28,
        longitude: 25255000, latitude: 56605000, post_code: 5101,
        towns: &[Town { name: "Aizkraukle", size: 7 }, Town { name: "Jaunjelgava", size: 2 }, Town {
            name: "Koknese", size: 3 }, Town { name: "Pļaviņas", size: 3 }],
        parishes: &["Bebru", "Daudzeses", "Iršu", "Klintaines", "Mazzalves", "Neretas", "Pilskalnes",
            "Seces", "Skrīveru", "Zalves"],
    },
    Municipality {
        name: "Alūksnes novads", genitive: "Alūksnes", code: "0021000", size: 13,
        longitude: 27047000, latitude: 57422000, post_code: 4301,
        towns: &[Town { name: "Alūksne", size: 6 }],
        parishes: &["Alsviķu", "Annas", "Ilzenes", "Jaunlaicenes", "Kalncempju", "Liepnas", "Malienas",
            "Mārkalnes", "Pededzes", "Zeltiņu", "Ziemeru"],
    },
    Municipality {
        name: "Augšdaugavas novads", genitive: "Augšdaugavas", code: "0022000", size: 24,
        longitude: 26550000, latitude: 55930000, post_code: 5410,
        towns: &[Town { name: "Ilūkste", size: 2 }, Town { name: "Subate", size: 1 }],
        parishes: &["Ambeļu", "Biķernieku", "Bebrenes", "Dubnas", "Kalkūnes", "Līksnas", "Naujenes",
            "Nīcgales", "Sventes", "Vaboles", "Višķu"],
    },
    Municipality {
        name: "Ādažu novads", genitive: "Ādažu", code: "0023000", size: 23,
        longitude: 24322000, latitude: 57075000, post_code: 2164,
        towns: &[Town { name: "Ādaži", size: 8 }],
        parishes: &["Carnikavas", "Ādažu"],
    },
    Municipality {
        name: "Balvu novads", genitive: "Balvu", code: "0024000", size: 18,
        longitude: 27265000, latitude: 57131000, post_code: 4501,
        towns: &[Town { name: "Balvi", size: 6 }, Town { name: "Viļaka", size: 1 }],
        parishes: &["Baltinavas", "Bērzkalnes", "Bērzpils", "Kubulu", "Lazdulejas", "Rugāju",
            "Šķilbēnu", "Tilžas", "Vectilžas", "Žīguru"],
    },
    Municipality {
        name: "Bauskas novads", genitive: "Bauskas", code: "0025000", size: 41,
        longitude: 24194000, latitude: 56408000, post_code: 3901,
        towns: &[Town { name: "Bauska", size: 10 }, Town { name: "Iecava", size: 5 }],
        parishes: &["Bārbeles", "Brunavas", "Ceraukstes", "Codes", "Dāviņu", "Gailīšu", "Īslīces",
            "Kurmenes", "Mežotnes", "Rundāles", "Skaistkalnes", "Stelpes", "Vecsaules"],
    },
    Municipality {
        name: "Cēsu novads", genitive: "Cēsu", code: "0026000", size: 41,
        longitude: 25275000, latitude: 57312000, post_code: 4101,
        towns: &[Town { name: "Cēsis", size: 15 }, Town { name: "Līgatne", size: 1 }],
        parishes: &["Amatas", "Drabešu", "Dzērbenes", "Ineses", "Jaunpiebalgas", "Kaives", "Liepas",
            "Mārsnēnu", "Nītaures", "Priekuļu", "Raiskuma", "Raunas", "Stalbes", "Straupes", "Taurenes",
            "Vaives", "Veselavas", "Zosēnu"],
    },
    Municipality {
        name: "Dienvidkurzemes novads", genitive: "Dienvidkurzemes", code: "0027000", size: 33,
        longitude: 21240000, latitude: 56536000, post_code: 3430,
        towns: &[Town { name: "Aizpute", size: 4 }, Town { name: "Durbe", size: 1 }, Town { name:
            "Grobiņa", size: 4 }, Town { name: "Pāvilosta", size: 1 }, Town { name: "Priekule", size: 2
            }],
        parishes: &["Aizputes", "Bārtas", "Bunkas", "Cīravas", "Gaviezes", "Kalvenes", "Kazdangas",
            "Medzes", "Nīcas", "Otaņķu", "Rucavas", "Sakas", "Vaiņodes", "Vērgales"],
    },
    Municipality {
        name: "Dobeles novads", genitive: "Dobeles", code: "0028000", size: 28,
        longitude: 23279000, latitude: 56625000, post_code: 3701,
        towns: &[Town { name: "Auce", size: 2 }, Town { name: "Dobele", size: 9 }],
        parishes: &["Annenieku", "Auru", "Bēnes", "Bērzes", "Bikstu", "Bukaišu", "Dobeles",
            "Jaunbērzes", "Krimūnu", "Tērvetes", "Ukru", "Zebrenes"],
    },
    Municipality {
        name: "Gulbenes novads", genitive: "Gulbenes", code: "0029000", size: 19,
        longitude: 26753000, latitude: 57177000, post_code: 4401,
        towns: &[Town { name: "Gulbene", size: 7 }],
        parishes: &["Beļavas", "Daukstu", "Druvienas", "Galgauskas", "Jaungulbenes", "Lejasciema",
            "Lizuma", "Rankas", "Stāmerienas", "Tirzas"],
    },
    Municipality {
        name: "Jelgavas novads", genitive: "Jelgavas", code: "0030000", size: 32,
        longitude: 23650000, latitude: 56600000, post_code: 3010,
        towns: &[Town { name: "Kalnciems", size: 2 }],
        parishes: &["Cenu", "Elejas", "Glūdas", "Jaunsvirlaukas", "Lielplatones", "Līvbērzes",
            "Ozolnieku", "Platones", "Salgales", "Sesavas", "Svētes", "Valgundes", "Vircavas",
            "Zaļenieku"],
    },
    Municipality {
        name: "Jēkabpils novads", genitive: "Jēkabpils", code: "0031000", size: 39,
        longitude: 25872000, latitude: 56499000, post_code: 5201,
        towns: &[Town { name: "Aknīste", size: 1 }, Town { name: "Jēkabpils", size: 21 }, Town { name:
            "Viesīte", size: 1 }],
        parishes: &["Ābeļu", "Asares", "Atašienes", "Dignājas", "Dunavas", "Elkšņu", "Gārsenes",
            "Kalna", "Krustpils", "Kūku", "Leimaņu", "Mežāres", "Rites", "Salas", "Sēlpils", "Variešu",
            "Vīpes", "Zasas"],
    },
    Municipality {
        name: "Krāslavas novads", genitive: "Krāslavas", code: "0032000", size: 20,
        longitude: 27168000, latitude: 55895000, post_code: 5601,
        towns: &[Town { name: "Dagda", size: 2 }, Town { name: "Krāslava", size: 7 }],
        parishes: &["Andrupenes", "Asūnes", "Aulejas", "Bērziņu", "Ezernieku", "Indras", "Izvaltas",
            "Kaplavas", "Kombuļu", "Piedrujas", "Robežnieku", "Skaistas", "Šķaunes", "Ūdrīšu"],
    },
    Municipality {
        name: "Kuldīgas novads", genitive: "Kuldīgas", code: "0033000", size: 28,
        longitude: 21970000, latitude: 56969000, post_code: 3301,
        towns: &[Town { name: "Kuldīga", size: 11 }, Town { name: "Skrunda", size: 2 }],
        parishes: &["Alsungas", "Ēdoles", "Gudenieku", "Īvandes", "Kabiles", "Kurmāles", "Laidu",
            "Nīkrāces", "Padures", "Pelču", "Raņķu", "Rendas", "Rudbāržu", "Snēpeles", "Turlavas",
            "Vārmes"],
    },
    Municipality {
        name: "Ķekavas novads", genitive: "Ķekavas", code: "0034000", size: 32,
        longitude: 24240000, latitude: 56826000, post_code: 2123,
        towns: &[Town { name: "Baldone", size: 4 }, Town { name: "Baloži", size: 7 }, Town { name:
            "Ķekava", size: 6 }],
        parishes: &["Baldones", "Daugmales", "Ķekavas"],
    },
    Municipality {
        name: "Limbažu novads", genitive: "Limbažu", code: "0035000", size: 28,
        longitude: 24713000, latitude: 57513000, post_code: 4001,
        towns: &[Town { name: "Ainaži", size: 1 }, Town { name: "Aloja", size: 1 }, Town { name:
            "Limbaži", size: 7 }, Town { name: "Salacgrīva", size: 3 }, Town { name: "Staicele", size: 1
            }],
        parishes: &["Brīvzemnieku", "Katvaru", "Liepupes", "Pāles", "Skultes", "Staiceles", "Umurgas",
            "Vidrižu", "Viļķenes"],
    },
    Municipality {
        name: "Līvānu novads", genitive: "Līvānu", code: "0036000", size: 10,
        longitude: 26175000, latitude: 56354000, post_code: 5316,
        towns: &[Town { name: "Līvāni", size: 7 }],
        parishes: &["Jersikas", "Rožupes", "Rudzātu", "Sutru", "Turku"],
    },
    Municipality {
        name: "Ludzas novads", genitive: "Ludzas", code: "0037000", size: 21,
        longitude: 27722000, latitude: 56547000, post_code: 5701,
        towns: &[Town { name: "Kārsava", size: 2 }, Town { name: "Ludza", size: 8 }, Town { name:
            "Zilupe", size: 1 }],
        parishes: &["Blontu", "Ciblas", "Cirmas", "Goliševas", "Isnaudas", "Istras", "Lauderu",
            "Malnavas", "Mērdzenes", "Mežvidu", "Nirzas", "Pildas", "Rundēnu", "Salnavas", "Zaļesjes"],
    },
    Municipality {
        name: "Madonas novads", genitive: "Madonas", code: "0038000", size: 25,
        longitude: 26218000, latitude: 56854000, post_code: 4801,
        towns: &[Town { name: "Cesvaine", size: 1 }, Town { name: "Lubāna", size: 2 }, Town { name:
            "Madona", size: 7 }],
        parishes: &["Aronas", "Barkavas", "Bērzaunes", "Dzelzavas", "Ērgļu", "Indrānu", "Kalsnavas",
            "Lazdonas", "Liezēres", "Ļaudonas", "Mārcienas", "Ošupes", "Praulienas", "Sarkaņu",
            "Vestienas"],
    },
    Municipality {
        name: "Mārupes novads", genitive: "Mārupes", code: "0039000", size: 37,
        longitude: 24050000, latitude: 56906000, post_code: 2166,
        towns: &[Town { name: "Mārupe", size: 17 }],
        parishes: &["Babītes", "Mārupes", "Salas"],
    },
    Municipality {
        name: "Ogres novads", genitive: "Ogres", code: "0040000", size: 57,
        longitude: 24605000, latitude: 56816000, post_code: 5001,
        towns: &[Town { name: "Ikšķile", size: 7 }, Town { name: "Ķegums", size: 2 }, Town { name:
            "Lielvārde", size: 6 }, Town { name: "Ogre", size: 23 }],
        parishes: &["Birzgales", "Jumpravas", "Ķeipenes", "Krapes", "Lauberes", "Lēdmanes", "Madlienas",
            "Mazozolu", "Mengeles", "Meņģeles", "Suntažu", "Taurupes", "Tīnūžu", "Tomes"],
    },
    Municipality {
        name: "Olaines novads", genitive: "Olaines", code: "0041000", size: 20,
        longitude: 23936000, latitude: 56794000, post_code: 2114,
        towns: &[Town { name: "Olaine", size: 11 }],
        parishes: &["Olaines"],
    },
    Municipality {
        name: "Preiļu novads", genitive: "Preiļu", code: "0042000", size: 16,
        longitude: 26724000, latitude: 56294000, post_code: 5301,
        towns: &[Town { name: "Preiļi", size: 6 }],
        parishes: &["Aglonas", "Aizkalnes", "Galēnu", "Pelēču", "Riebiņu", "Rožkalnu", "Rušonas",
            "Saunas", "Sīļukalna", "Stabulnieku", "Upmalas", "Vārkavas"],
    },
    Municipality {
        name: "Rēzeknes novads", genitive: "Rēzeknes", code: "0043000", size: 29,
        longitude: 27350000, latitude: 56450000, post_code: 4610,
        towns: &[Town { name: "Viļāni", size: 3 }],
        parishes: &["Audriņu", "Bērzgales", "Čornajas", "Dricānu", "Feimaņu", "Gaigalavas", "Griškānu",
            "Kaunatas", "Lūznavas", "Maltas", "Nautrēnu", "Ozolaines", "Ozolmuižas", "Rikavas",
            "Sakstagala", "Stoļerovas", "Vērēmu"],
    },
    Municipality {
        name: "Ropažu novads", genitive: "Ropažu", code: "0044000", size: 35,
        longitude: 24600000, latitude: 56970000, post_code: 2118,
        towns: &[Town { name: "Vangaži", size: 3 }],
        parishes: &["Garkalnes", "Ropažu", "Stopiņu"],
    },
    Municipality {
        name: "Salaspils novads", genitive: "Salaspils", code: "0045000", size: 23,
        longitude: 24350000, latitude: 56861000, post_code: 2121,
        towns: &[Town { name: "Salaspils", size: 17 }],
        parishes: &["Salaspils"],
    },
    Municipality {
        name: "Saldus novads", genitive: "Saldus", code: "0046000", size: 26,
        longitude: 22491000, latitude: 56664000, post_code: 3801,
        towns: &[Town { name: "Brocēni", size: 3 }, Town { name: "Saldus", size: 10 }],
        parishes: &["Blīdenes", "Cieceres", "Ezeres", "Gaiķu", "Jaunauces", "Jaunlutriņu", "Kursīšu",
            "Lutriņu", "Nīgrandes", "Novadnieku", "Pampāļu", "Remtes", "Rubas", "Šķēdes", "Vadakstes",
            "Zaņas", "Zirņu", "Zvārdes"],
    },
    Municipality {
        name: "Saulkrastu novads", genitive: "Saulkrastu", code: "0047000", size: 10,
        longitude: 24415000, latitude: 57262000, post_code: 2160,
        towns: &[Town { name: "Saulkrasti", size: 3 }],
        parishes: &["Saulkrastu", "Sējas"],
    },
    Municipality {
        name: "Siguldas novads", genitive: "Siguldas", code: "0048000", size: 31,
        longitude: 24859000, latitude: 57154000, post_code: 2150,
        towns: &[Town { name: "Sigulda", size: 14 }],
        parishes: &["Allažu", "Inčukalna", "Krimuldas", "Lēdurgas", "Mālpils", "Mores", "Siguldas"],
    },
    Municipality {
        name: "Smiltenes novads", genitive: "Smiltenes", code: "0049000", size: 17,
        longitude: 25902000, latitude: 57424000, post_code: 4729,
        towns: &[Town { name: "Ape", size: 1 }, Town { name: "Smiltene", size: 5 }],
        parishes: &["Apes", "Bilskas", "Blomes", "Brantu", "Drustu", "Gaujienas", "Grundzāles",
            "Launkalnes", "Palsmanes", "Trapenes", "Variņu", "Virešu"],
    },
    Municipality {
        name: "Talsu novads", genitive: "Talsu", code: "0050000", size: 34,
        longitude: 22590000, latitude: 57244000, post_code: 3201,
        towns: &[Town { name: "Sabile", size: 1 }, Town { name: "Stende", size: 1 }, Town { name:
            "Talsi", size: 9 }, Town { name: "Valdemārpils", size: 1 }],
        parishes: &["Abavas", "Ārlavas", "Balgales", "Dundagas", "Ģibuļu", "Īves", "Kolkas", "Ķūļciema",
            "Laidzes", "Laucienes", "Lībagu", "Lubes", "Mērsraga", "Rojas", "Strazdes", "Vandzenes",
            "Virbu"],
    },
    Municipality {
        name: "Tukuma novads", genitive: "Tukuma", code: "0051000", size: 43,
        longitude: 23153000, latitude: 56967000, post_code: 3101,
        towns: &[Town { name: "Kandava", size: 3 }, Town { name: "Tukums", size: 17 }],
        parishes: &["Cēres", "Degoles", "Džūkstes", "Engures", "Irlavas", "Jaunpils", "Jaunsātu",
            "Lapmežciema", "Lestenes", "Matkules", "Pūres", "Sēmes", "Slampes", "Smārdes", "Tumes",
            "Vānes", "Zantes", "Zemītes", "Zentenes"],
    },
    Municipality {
        name: "Valkas novads", genitive: "Valkas", code: "0052000", size: 7,
        longitude: 26018000, latitude: 57775000, post_code: 4701,
        towns: &[Town { name: "Valka", size: 4 }],
        parishes: &["Ērģemes", "Kārķu", "Valkas", "Vijciema", "Zvārtavas"],
    },
    Municipality {
        name: "Valmieras novads", genitive: "Valmieras", code: "0053000", size: 51,
        longitude: 25426000, latitude: 57541000, post_code: 4201,
        towns: &[Town { name: "Mazsalaca", size: 1 }, Town { name: "Rūjiena", size: 3 }, Town { name:
            "Seda", size: 1 }, Town { name: "Strenči", size: 1 }, Town { name: "Valmiera", size: 23 }],
        parishes: &["Bērzaines", "Brenguļu", "Burtnieku", "Dikļu", "Ēveles", "Ipiķu", "Jeru", "Jērcēnu",
            "Kauguru", "Kocēnu", "Lodes", "Matīšu", "Naukšēnu", "Plāņu", "Ramatas", "Rencēnu", "Sēļu",
            "Skaņkalnes", "Trikātas", "Vaidavas", "Valmieras", "Zilākalna"],
    },
    Municipality {
        name: "Varakļānu novads", genitive: "Varakļānu", code: "0054000", size: 3,
        longitude: 26755000, latitude: 56608000, post_code: 4838,
        towns: &[Town { name: "Varakļāni", size: 2 }],
        parishes: &["Murmastienes", "Varakļānu"],
    },
    Municipality {
        name: "Ventspils novads", genitive: "Ventspils", code: "0055000", size: 11,
        longitude: 21600000, latitude: 57350000, post_code: 3610,
        towns: &[Town { name: "Piltene", size: 1 }],
        parishes: &["Ances", "Jūrkalnes", "Popes", "Puzes", "Tārgales", "Ugāles", "Usmas", "Užavas",
            "Vārves", "Ziru", "Zlēku"],
    },
];
