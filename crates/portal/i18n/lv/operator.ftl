nav-operator = Operators
nav-institution = Iestāde
institution-word = Iestāde
person-word = Cilvēks
role-word = Loma
reason = Iemesls
save = Saglabāt
four-eyes = Neviens viens pats neielaiž sistēmu platformā: viens ierosina, cits operators apstiprina.
actor-operator = operatora pilnvara
actor-platform = platforma
actor-connection = savienojums { $client }
actor-person = cilvēks Nr. { $number }

operator-title = Operators
operator-proposals = Gaida otrās acis
operator-roles = Ierosinātās lomas
operator-roles-none = Neviena loma negaida. Te parādās operatora lomas, ko ierosinājis kāds operators.
operator-more = Pārvaldība
institutions-what = Atrast, reģistrēt, mainīt; cilvēki, lomas un sistēmas.
connections-what = Kas drīkst pieslēgties, ar kādu sertifikātu, līdz kuram laikam.
people-what = Atrast cilvēku pēc personas koda un redzēt viņa lomas.
audit-what = Kas, ko un kad mainīja.
health-what = Izsniegšanas žurnāls, disks, darbi un ziņas datu devējiem.
role-reject-reason = Noraidīts
role-reject-sure = Vai noraidīt šo lomu?

proposal-what = Kas
proposal-connection = Jauns savienojums
proposal-certificate = Jauns sertifikāts
proposal-at = Ierosināts
proposal-state = Stāvoklis
proposal-proposed = gaida apstiprinājumu
proposal-confirmed = apstiprināts
proposal-rejected = noraidīts
proposal-for-you = gaida jūs
proposal-for-other = gaida citu operatoru
proposal-by = Ierosināja
proposal-decided-by = Izlēma
proposal-own = To ierosinājāt jūs, tāpēc apstiprina cits operators.
proposal-waits = Kad operators to apstiprinās, tas uzreiz būs spēkā. Par to saņemsiet paziņojumu.
proposal-confirm = Apstiprināt
proposal-confirm-lead = Kad apstiprināsiet, tas uzreiz būs spēkā. Pārliecinieties pa citu ceļu, piemēram, pa tālruni, ka iestāde to tiešām lūdza.
proposal-reject = Noraidīt
proposal-take-back = Atsaukt ierosinājumu
proposal-reason-hint = To izlasīs ierosinātājs.
proposals-waiting = Gaida apstiprinājumu
proposals-none = Nekas negaida. Te parādās savienojumi un sertifikāti, ko kāds ierosinājis.

connections-title = Savienojumi
connections-lead = Ar savienojumu iestādes sistēma pieslēdzas platformai. To pazīst pēc sertifikāta.
connections-none = Jūsu iestādei vēl nav savienojuma. Pirmo ierosina operators: nosauciet viņam sistēmu, kas pieslēgsies.
connections-none-operator = Neviena savienojuma vēl nav. Ierosiniet pirmo.
connection-new = Ierosināt savienojumu
connection-client-id = Savienojuma nosaukums (client_id)
connection-client-id-hint = Burti, cipari, domuzīmes, punkti. Vēlāk to nevar mainīt.
connection-kind = Veids
connection-kind-producer = devēja savienojums
connection-kind-consumer = ņēmēja savienojums
connection-kind-producer-long = Devēja: sistēma piegādā datus
connection-kind-consumer-long = Ņēmēja: sistēma saņem datus
connection-state = Stāvoklis
connection-active = spēkā
connection-withdrawn = atsaukts
connection-system = Informācijas sistēma
connection-system-hint = Sistēmas kods. Sistēmu vispirms reģistrē iestādes lapā.
connection-lifetime = Pilnvara derīga
connection-lifetime-s = Pilnvara derīga, sekundes
connection-lifetime-hint = No 1 līdz 86400. Parasti pietiek ar 600.
connection-description = Piezīmes
connection-description-optional = Piezīmes (nav obligāti)
connection-propose = Ierosināt
connection-withdraw = Atsaukt savienojumu
connection-withdraw-lead = Savienojums vairs nedarbosies nekad, un tā pilnvaras beigsies uzreiz.
certificate = Sertifikāts
certificates = Sertifikāti
certificates-none = Sertifikāta vēl nav, tāpēc pieslēgties nevar. Ierosiniet pirmo.
certificate-subject = Kam izdots
certificate-from = Derīgs no
certificate-to = Derīgs līdz
certificate-do = Darbība
certificate-valid = spēkā
certificate-missing = nav sertifikāta
certificate-expired = beidzies termiņš
certificate-not-yet = vēl nav spēkā
certificate-ends = { $n ->
    [zero] beidzas pēc { $shown } dienām
    [one] beidzas pēc { $shown } dienas
   *[other] beidzas pēc { $shown } dienām
 }
certificate-new = Jauns sertifikāts
certificate-new-lead = Jaunais sertifikāts darbosies līdzās vecajam. Nomainiet to savā sistēmā un tikai tad noņemiet veco.
certificate-pem = Sertifikāts PEM formātā
certificate-pem-hint = Teksts no “-----BEGIN CERTIFICATE-----” līdz “-----END CERTIFICATE-----”. Privāto atslēgu nesūtiet nevienam.
certificate-propose = Ierosināt sertifikātu
certificate-remove = Noņemt
certificate-remove-sure = Vai noņemt šo sertifikātu? Ar to vairs nevarēs pieslēgties.
token-how = Kā saņemt pilnvaru
token-how-lead = Parakstiet JWT ar sertifikāta privāto atslēgu un apmainiet to pret pilnvaru:
token-claims = JWT saturs:

institutions-title = Iestādes
institutions-search = Nosaukums vai reģistrācijas numurs
institutions-none = Tādas iestādes nav. Pārbaudiet rakstību vai reģistrējiet jaunu.
institution-name = Nosaukums
institution-number = Reģistrācijas numurs
institution-number-hint = 11 cipari; ārvalstu iestādei valsts burti un numurs.
institution-kind = Veids (nav obligāti)
institution-kind-hint = Piemēram, pašvaldība, ministrija, komersants.
institution-new = Reģistrēt iestādi
institution-register = Reģistrēt
institution-change = Mainīt nosaukumu vai veidu
institution-on-platform = Loma platformā
institution-no-role = Iestāde vēl nav ne datu devējs, ne datu ņēmējs.
institution-apply-role = Pieteikties lomai
institution-people = Cilvēki un lomas
institution-people-read = Lomas piešķir un izbeidz iestādes vadītājs.
institution-people-none = Nevienam vēl nav lomas. Pirmo vadītāju reģistrē operators.
role-since = Kopš
role-until = Līdz
role-end = Izbeigt
role-end-reason = Kāpēc lomu izbeidz
role-give = Piešķirt lomu
role-give-lead = Loma ir spēkā no nākamās pieteikšanās. Ja cilvēku vēl nepazīstam, viņš tiks reģistrēts.
role-code-hint = 11 cipari. Kodu pēc tam nerāda nevienam.
role-name-hint = Ja cilvēks jau ir reģistrēts, paliek reģistrētais vārds.
role-choose = Izvēlieties
role-state-proposed = gaida apstiprinājumu
role-state-active = spēkā
role-state-ended = izbeigta
systems-title = Informācijas sistēmas
systems-none = Sistēmu vēl nav. Tās reģistrē operators.
system-name = Sistēmas nosaukums
system-code = Sistēmas kods
system-code-hint = Burti, cipari, domuzīmes, punkti.
system-new = Reģistrēt sistēmu
system-register = Reģistrēt sistēmu

people-title = Cilvēki
people-lead = Meklējiet pēc personas koda. Kods netiek glabāts adresē.
people-find = Atrast
people-number = Nr.
people-trail = ko šis cilvēks mainījis
people-no-roles = Šim cilvēkam nav un nav bijis nevienas lomas.
people-unknown = Cilvēks ar šādu kodu nav reģistrēts. Lomu viņam var piešķirt iestādes lapā.

audit-title = Izmaiņu žurnāls
audit-lead = Katra izmaiņa reģistrā, jaunākās vispirms. Datu izsniegšanu te nav: tām ir savs žurnāls.
audit-noun = Kas mainīts
audit-any = viss
audit-actor = Kas mainīja (Nr.)
audit-from = No
audit-to = Līdz
audit-at = Laiks
audit-who = Kas
audit-did = Darbība
audit-object = Objekts
audit-change = izmaiņa
audit-before = Pirms:
audit-after = Pēc:
audit-none = Šādu izmaiņu nav. Te būs viss, ko kāds maina reģistrā.
audit-export = Lejupielādēt CSV
noun-applications = pieteikumi
noun-connections = savienojumi
noun-datasets = datu kopas
noun-institutions = iestādes
noun-people = cilvēki un lomas
noun-permissions = atļaujas
noun-plans = pārejas plāni
noun-proposals = ierosinājumi
noun-settings = iestatījumi
noun-systems = sistēmas

health-title = Platformas stāvoklis
health-well = kārtībā
health-journal = Izsniegšanas žurnāls
health-journal-ill = nevar pierakstīt
health-entries = { $n ->
    [zero] { $shown } ierakstu
    [one] { $shown } ieraksts
   *[other] { $shown } ieraksti
 }
health-damaged = { $n ->
    [zero] { $shown } bojātu ierakstu
    [one] { $shown } bojāts ieraksts
   *[other] { $shown } bojāti ieraksti
 }
health-disk = Disks
health-disk-low = maz vietas
health-free = brīvi { $free },
health-reserve = rezerve { $reserve }
health-version = Versija
health-counts = Reģistrā
health-jobs = Pēdējie darbi
health-jobs-none = Neviens darbs vēl nav bijis. Te būs nodevumi, indeksi un rezerves kopijas.
health-notices = Ziņas datu devējiem
health-notices-none = Ziņu nav.
job-what = Darbs
job-dataset = Datu kopa
job-started = Sākts
job-ended = Beigts
job-running = notiek
job-done = pabeigts
job-failed = neizdevās
job-interrupted = pārtraukts
job-kind-package = nodevums
job-kind-index = indekss
job-kind-backup = rezerves kopija
notice-misses-limited = pārāk daudz meklējumu bez rezultāta
notice-expression-failing = atļaujas nosacījumu nevar aprēķināt
count-institutions = { $n ->
    [zero] { $shown } iestāžu
    [one] { $shown } iestāde
   *[other] { $shown } iestādes
 }
count-connections = { $n ->
    [zero] { $shown } savienojumu
    [one] { $shown } savienojums
   *[other] { $shown } savienojumi
 }
count-datasets = { $n ->
    [zero] { $shown } datu kopu
    [one] { $shown } datu kopa
   *[other] { $shown } datu kopas
 }
count-permissions = { $n ->
    [zero] { $shown } atļauju
    [one] { $shown } atļauja
   *[other] { $shown } atļaujas
 }

done-proposed = Ierosināts. Tagad apstiprina cits operators.
done-confirmed = Apstiprināts un spēkā.
done-rejected = Noraidīts. Ierosinātājs redz iemeslu.
done-certificate-removed = Sertifikāts noņemts.
done-connection-withdrawn = Savienojums atsaukts. Tā pilnvaras vairs neder.
done-role-given = Loma piešķirta.
done-role-proposed = Loma ierosināta. To apstiprina cits operators.
done-role-confirmed = Loma apstiprināta un spēkā.
done-role-rejected = Loma noraidīta.
done-role-ended = Loma izbeigta.
done-institution-made = Iestāde reģistrēta.
done-institution-changed = Saglabāts.
done-system-made = Sistēma reģistrēta.

fault-exists = Tāds jau ir.
fault-kind-required = Izvēlieties savienojuma veidu.
fault-role-required = Izvēlieties lomu.
fault-person-code = Tas nav derīgs personas kods. Vajag 11 ciparus.
fault-registration-number = Vajag 11 ciparus; ārvalstu iestādei valsts divus burtus un numuru.
fault-code = Drīkst burtus, ciparus, domuzīmi, pasvītru un punktu; pirmais ir burts vai cipars.
fault-system-unknown = Tādas sistēmas nav. Vispirms reģistrējiet to iestādes lapā.
fault-token-lifetime-s-range = Vajag skaitli no 1 līdz 86400.
fault-pem-certificate = Tas nav derīgs sertifikāts. Vajag PEM tekstu ar RSA (2048 biti vai vairāk), EC P-256 vai Ed25519 atslēgu, bez privātās atslēgas.
fault-pem-expired = Sertifikātam ir beidzies termiņš. Izveidojiet jaunu.
fault-pem-held = Šis sertifikāts savienojumam jau ir.
fault-characters = Tekstā ir neredzamas zīmes. Dzēsiet tās.
health-mail = E-pasts
health-mail-late = vēstules neaiziet
health-mail-waiting = { $n ->
    [zero] gaida { $shown } vēstuļu
    [one] gaida { $shown } vēstule
   *[other] gaida { $shown } vēstules
 }
health-mail-given-up = { $n ->
    [zero] nav nosūtīts { $shown }
    [one] nav nosūtīta { $shown }
   *[other] nav nosūtītas { $shown }
 }
institution-parent = Augstāka iestāde (nav obligāti)
institution-parent-hint = Tās reģistrācijas numurs, 11 cipari.
institution-under = pakļauta iestādei
fault-parent-unknown = Tādas iestādes nav. Vispirms reģistrējiet to.
fault-parent-cycle = Iestāde nevar būt pati zem sevis.
