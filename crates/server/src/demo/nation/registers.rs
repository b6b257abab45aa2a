//! The seven registers: who provides them, from which system, under which definition.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegisterName {
    Persons,
    Addresses,
    Education,
    Enterprises,
    Insurance,
    Disability,
    OrphanCertificates,
}

impl RegisterName {
    /// Registers that hold none, one or several records of each person.
    pub(super) const BY_PERSON: [Self; 4] = [
        Self::Education,
        Self::Insurance,
        Self::Disability,
        Self::OrphanCertificates,
    ];

    /// Place in [`Self::BY_PERSON`]; the last for registers that are not there.
    pub(super) fn by_person(self) -> usize {
        Self::BY_PERSON
            .iter()
            .position(|register| *register == self)
            .unwrap_or(Self::BY_PERSON.len() - 1)
    }
}

/// One register as the registry is told of it.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    pub name: RegisterName,
    /// Name of the data set, as in its definition.
    pub dataset: &'static str,
    pub title_lv: &'static str,
    pub provider_name: &'static str,
    /// Invented, right in form.
    pub provider_number: &'static str,
    pub system_code: &'static str,
    pub system_name: &'static str,
    /// The definition's text.
    pub definition: &'static str,
}

/// In an order of loading in which every record names only people and addresses already there.
pub const REGISTERS: [Register; 7] = [
    Register {
        name: RegisterName::Addresses,
        dataset: "var_address",
        title_lv: "Valsts adrešu reģistrs",
        provider_name: "Valsts zemes dienests",
        provider_number: "90000000104",
        system_code: "VAR",
        system_name: "Valsts adrešu reģistra informācijas sistēma",
        definition: include_str!("../definitions/var_address.yaml"),
    },
    Register {
        name: RegisterName::Persons,
        dataset: "fpr_person",
        title_lv: "Fizisko personu reģistrs",
        provider_name: "Pilsonības un migrācijas lietu pārvalde",
        provider_number: "90000000208",
        system_code: "FPR",
        system_name: "Fizisko personu reģistrs",
        definition: include_str!("../definitions/fpr_person.yaml"),
    },
    Register {
        name: RegisterName::Enterprises,
        dataset: "ur_enterprise",
        title_lv: "Uzņēmumi un to amatpersonas",
        provider_name: "Uzņēmumu reģistrs",
        provider_number: "90000000302",
        system_code: "UR",
        system_name: "Uzņēmumu reģistra informācijas sistēma",
        definition: include_str!("../definitions/ur_enterprise.yaml"),
    },
    Register {
        name: RegisterName::Education,
        dataset: "viis_education",
        title_lv: "Personu izglītība",
        provider_name: "Izglītības un zinātnes ministrija",
        provider_number: "90000000406",
        system_code: "VIIS",
        system_name: "Valsts izglītības informācijas sistēma",
        definition: include_str!("../definitions/viis_education.yaml"),
    },
    Register {
        name: RegisterName::Insurance,
        dataset: "vsaa_insurance",
        title_lv: "Sociālās apdrošināšanas iemaksas",
        provider_name: "Valsts sociālās apdrošināšanas aģentūra",
        provider_number: "90000000500",
        system_code: "VSAA-SAIS",
        system_name: "Sociālās apdrošināšanas informācijas sistēma",
        definition: include_str!("../definitions/vsaa_insurance.yaml"),
    },
    Register {
        name: RegisterName::Disability,
        dataset: "vdeavk_disability",
        title_lv: "Invaliditāte",
        provider_name: "Veselības un darbspēju ekspertīzes ārstu valsts komisija",
        provider_number: "90000000604",
        system_code: "IIS",
        system_name: "Invaliditātes informatīvā sistēma",
        definition: include_str!("../definitions/vdeavk_disability.yaml"),
    },
    Register {
        name: RegisterName::OrphanCertificates,
        dataset: "vbtai_orphan_certificate",
        title_lv: "Bāreņu apliecības",
        provider_name: "Bērnu aizsardzības centrs",
        provider_number: "90000000708",
        system_code: "VBTAI",
        system_name: "Valsts bērnu tiesību aizsardzības informācijas sistēma",
        definition: include_str!("../definitions/vbtai_orphan_certificate.yaml"),
    },
];
