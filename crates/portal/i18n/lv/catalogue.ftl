catalogue-title = Datu kopu katalogs
catalogue-lead = Atrodiet valsts un pašvaldību datus, uzziniet, kas tajos ir, un piesakieties tos saņemt.
catalogue-search = Meklēt datu kopās, laukos un iestādēs
catalogue-found = { $n ->
    [zero] Atrasts { $shown } datu kopu
    [one] Atrasta { $shown } datu kopa
   *[other] Atrastas { $shown } datu kopas
 }
catalogue-all = { $n ->
    [zero] Katalogā ir { $shown } datu kopu
    [one] Katalogā ir { $shown } datu kopa
   *[other] Katalogā ir { $shown } datu kopas
 }
catalogue-empty = Te būs datu kopas, tiklīdz kāda iestāde tās publicēs.
catalogue-nothing = Neko neatradām. Pamēģiniet citu vārdu vai mazāk vārdu: garumzīmes un galotnes nav svarīgas.
catalogue-show-all = Rādīt visas datu kopas
access-open = atvērta visiem
access-restricted = ar atļauju
access-sensitive = sensitīva, ar atļauju
fresh-at = jaunākie dati
