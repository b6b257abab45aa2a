classifiers-title = Classifiers
classifiers-lead = Lists of codes that data sets share. One institution keeps each; every change of a list is a new version.
classifiers-none = Classifiers will be here. An operator registers the first.
classifier-word = Classifier
classifier-id = Code of the list
classifier-keeper = Kept by
classifier-in-force = Version in force
classifier-codes-of = Codes, version { $number }
classifier-count = { $n ->
    [one] { $shown } code
   *[other] { $shown } codes
 }
classifier-code = Code
classifier-name = Name
classifier-parent = Parent
classifier-previous = Previous page
classifier-codes = Number of codes
classifier-changes = What changes against the version before
classifier-versions = Versions
classifier-now = in force
classifier-empty = Codes will be here. The keeper has published no version yet, so data sets take any text.
classifier-uses = Where it is used
classifier-unused = No data set uses this list.
classifier-same = The codes are the same; only their order has changed.
classifier-added = { $n ->
    [one] { $shown } code added
   *[other] { $shown } codes added
 }
classifier-removed = { $n ->
    [one] { $shown } code removed
   *[other] { $shown } codes removed
 }
classifier-renamed = { $n ->
    [one] { $shown } code renamed
   *[other] { $shown } codes renamed
 }
classifier-changed = { $n ->
    [one] { $shown } code with another parent or validity
   *[other] { $shown } codes with another parent or validity
 }
classifier-more = and { $shown } more
classifier-publish = Publish a new version
classifier-publish-lead = The new version takes the place of the one before. Before it is published you see what changes and which data sets it touches.
classifier-values = All codes (CSV)
classifier-values-hint = The first line names the columns: code;name;name_en;parent;valid_from;valid_to. Only code and name are required; write dates as 2026-07-01. Keep codes that have ended, with valid_to. Send a list larger than 4 MB through the interface.
classifier-from-hint = Its first day, such as 01.07.2026. Empty: from today.
classifier-why = What changed and why
classifier-why-hint = For example: the regulations were amended. Everybody will see it.
classifier-check = Check
classifier-check-lead = Nothing is published yet. Read it and confirm.
classifier-what-happens = From its first day, new packages may hold only codes of this version. What was accepted before stays.
classifier-publish-do = Publish
classifier-edit = Edit
classifier-changed-meanwhile = Somebody else changed this classifier meanwhile. Check again what changes.
classifier-why-missing = Write what changed and why.
classifier-line = Line { $line }, code “{ $code }”: { $what }
classifier-line-only = Line { $line }: { $what }
classifier-more-faults = { $n ->
    [one] And { $shown } more fault.
   *[other] And { $shown } more faults.
 }
classifier-fault-duplicate = this code stands above already.
classifier-fault-unknown = its parent is no code of this version.
classifier-fault-cycle = its parents lead in a circle.
classifier-fault-unchanged = The codes are those of the version before.
classifier-fault-required = code or name is missing.
classifier-fault-too-long = the text is too long.
classifier-fault-characters = surplus space or invalid characters.
classifier-fault-range = the last day is before the first, or the version begins before the one before it.
classifier-fault-type = write the date as 2026-07-01.
classifier-fault-ragged = this line has another number of columns than the first.
classifier-fault-column-unknown = Columns may only be called code, name, name_en, parent, valid_from, valid_to.
classifier-fault-quote = a quote is not closed or stands in a wrong place.
classifier-fault-count = A version has from 1 to 50 000 codes.
done-classifier-published = The new version is published.
definition-remarks = Also worth knowing
remark-classifier-unknown = Field { $field }: no classifier { $list } is registered, so any text is taken. An operator registers it; its keeper publishes the codes.
remark-classifier-empty = Field { $field }: no version of the classifier { $list } is in force, so any text is taken until its keeper publishes one.
