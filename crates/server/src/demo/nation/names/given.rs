//! Given names, from those of grandparents to those of children.

#[rustfmt::skip]
pub(super) const LATVIAN_FEMALE: &[&str] = &[
    "Milda", "Vilma", "Alma", "Emma", "Zelma", "Elza", "Hermīne", "Lūcija", "Austra", "Skaidrīte",
    "Velta", "Vera", "Erna", "Mirdza", "Zenta", "Valija", "Irma", "Lidija", "Biruta", "Ausma", "Rasma",
    "Dzidra", "Aina", "Vija", "Ārija", "Ilga", "Valda", "Ilze", "Maija", "Māra", "Gunta", "Rita",
    "Inta", "Aija", "Ināra", "Anita", "Ruta", "Līga", "Ilona", "Sarmīte", "Sandra", "Dace", "Inese",
    "Daiga", "Iveta", "Ingrīda", "Baiba", "Ieva", "Guna", "Gundega", "Sanita", "Egita", "Kristīne",
    "Ilva", "Inga", "Jana", "Agnese", "Vineta", "Evita", "Laura", "Liene", "Linda", "Zane", "Santa",
    "Dita", "Anda", "Indra", "Sintija", "Zanda", "Lāsma", "Kristiāna", "Madara", "Sabīne", "Elīna",
    "Ance", "Laima", "Lelde", "Elīza", "Paula", "Marta", "Katrīna", "Annija", "Monta", "Rebeka",
    "Estere", "Amanda", "Letīcija", "Loreta", "Keita", "Odrija", "Luīze", "Grēta", "Beāte", "Evelīna",
    "Patrīcija", "Viktorija", "Anna", "Emīlija", "Alise", "Sofija", "Elizabete", "Nora", "Dārta",
    "Adriāna", "Melānija", "Teiksma", "Made",
];

#[rustfmt::skip]
pub(super) const LATVIAN_MALE: &[&str] = &[
    "Arvīds", "Voldemārs", "Alfrēds", "Rūdolfs", "Žanis", "Eduards", "Alberts", "Augusts", "Arnolds",
    "Harijs", "Ādolfs", "Visvaldis", "Imants", "Laimonis", "Zigurds", "Ojārs", "Gunārs", "Vilnis",
    "Ilmārs", "Jāzeps", "Uldis", "Juris", "Jānis", "Pēteris", "Andris", "Aivars", "Ivars", "Guntis",
    "Valdis", "Māris", "Dainis", "Aldis", "Egils", "Vilis", "Ēriks", "Ainārs", "Modris", "Ziedonis",
    "Viesturs", "Normunds", "Raimonds", "Gints", "Agris", "Aigars", "Armands", "Edgars", "Guntars",
    "Intars", "Sandis", "Gatis", "Girts", "Ģirts", "Kaspars", "Mārtiņš", "Ints", "Ilgvars", "Raivis",
    "Raivo", "Ivo", "Mārcis", "Reinis", "Oskars", "Artis", "Jurģis", "Lauris", "Krišjānis", "Rihards",
    "Kristaps", "Andrejs", "Miks", "Toms", "Elvis", "Edvīns", "Ēvalds", "Niks", "Rinalds", "Ritvars",
    "Renārs", "Roberts", "Kārlis", "Rūdis", "Matīss", "Ralfs", "Emīls", "Gustavs", "Markuss", "Adrians",
    "Dāvids", "Daniels", "Ernests", "Rainers", "Henrijs", "Hugo", "Teodors", "Olivers", "Bruno", "Otto",
    "Patriks", "Tomass", "Haralds", "Kristers", "Valters", "Reinholds", "Jēkabs", "Francis", "Leons",
    "Marks", "Alekss", "Bernards", "Augustīns",
];

#[rustfmt::skip]
pub(super) const SLAVIC_FEMALE: &[&str] = &[
    "Nina", "Zinaīda", "Antoņina", "Raisa", "Klavdija", "Valentīna", "Tamāra", "Ludmila", "Gaļina",
    "Ļubova", "Nadežda", "Larisa", "Svetlana", "Tatjana", "Valērija", "Irina", "Jeļena", "Olga",
    "Natālija", "Oksana", "Marina", "Žanna", "Inna", "Alla", "Viktorija", "Jūlija", "Jekaterina",
    "Anastasija", "Kristina", "Aleksandra", "Ksenija", "Darja", "Marija", "Poļina", "Arina", "Diāna",
    "Milana", "Varvara", "Alisa", "Jeva", "Veronika", "Vasilisa", "Miroslava", "Uļjana",
];

#[rustfmt::skip]
pub(super) const SLAVIC_MALE: &[&str] = &[
    "Ivans", "Nikolajs", "Vasilijs", "Pjotrs", "Anatolijs", "Genādijs", "Boriss", "Valentīns",
    "Viktors", "Leonīds", "Vladimirs", "Jurijs", "Mihails", "Aleksandrs", "Valērijs", "Sergejs",
    "Oļegs", "Igors", "Andrejs", "Vjačeslavs", "Konstantīns", "Vitālijs", "Aleksejs", "Dmitrijs",
    "Eduards", "Jevgeņijs", "Ruslans", "Pāvels", "Deniss", "Antons", "Romāns", "Maksims", "Artjoms",
    "Kirills", "Daniils", "Timurs", "Timofejs", "Matvejs", "Arsenijs", "Ļevs", "Marks", "Platons",
];

#[rustfmt::skip]
pub(super) const POLISH_FEMALE: &[&str] = &[
    "Genovefa", "Staņislava", "Veronika", "Helēna", "Broņislava", "Leontīne", "Janīna", "Jadviga",
    "Terēze", "Regīna", "Teresa", "Irēna", "Marija", "Halina", "Danuta", "Kristīna", "Valentīna",
    "Anna", "Ilona", "Beāta", "Žanete", "Karīna", "Justīne", "Katažina", "Agneška", "Monika", "Renāte",
    "Viktorija", "Zuzanna", "Julianna", "Maja", "Olīvija", "Aņela",
];

#[rustfmt::skip]
pub(super) const POLISH_MALE: &[&str] = &[
    "Staņislavs", "Boļeslavs", "Broņislavs", "Francis", "Jāzeps", "Antons", "Kazimirs", "Česlavs",
    "Vaclavs", "Henriks", "Jans", "Ježijs", "Zbigņevs", "Ričards", "Marjans", "Valdemārs", "Mareks",
    "Tadeušs", "Andžejs", "Edvards", "Roberts", "Artūrs", "Rafals", "Adams", "Daniels", "Patriks",
    "Mateušs", "Jakubs", "Dominiks", "Šimons",
];

#[rustfmt::skip]
pub(super) const LITHUANIAN_FEMALE: &[&str] = &[
    "Ona", "Brone", "Genovaite", "Aldona", "Stase", "Janina", "Danute", "Regina", "Irena", "Birute",
    "Nijole", "Vida", "Laima", "Audrone", "Rasa", "Daļa", "Jūrate", "Rūta", "Daiva", "Vilma", "Inga",
    "Lina", "Edita", "Kristina", "Egle", "Jurgita", "Vaida", "Indre", "Monika", "Gabija", "Ugne",
    "Emilija", "Lukne", "Liepa",
];

#[rustfmt::skip]
pub(super) const LITHUANIAN_MALE: &[&str] = &[
    "Jonass", "Juozs", "Antans", "Petrs", "Stasis", "Kazis", "Vītauts", "Alģirds", "Romualds",
    "Ķēstutis", "Jons", "Arvīds", "Vīdas", "Aļģis", "Rimants", "Gintars", "Darjus", "Sauļus", "Arūns",
    "Edmunds", "Tomas", "Marjus", "Andrjus", "Mindaugs", "Gedimins", "Tads", "Justins", "Lukas",
    "Mants", "Domants", "Jokūbs", "Nojus",
];
