catalogue-title = Catalogue of data sets
catalogue-lead = Find the data of the state and municipalities, see what is in them, and apply to receive them.
catalogue-search = Search data sets, fields and institutions
catalogue-found = { $n ->
    [one] { $shown } data set found
   *[other] { $shown } data sets found
 }
catalogue-all = { $n ->
    [one] { $shown } data set in the catalogue
   *[other] { $shown } data sets in the catalogue
 }
catalogue-empty = Data sets will be here as soon as an institution publishes one.
catalogue-nothing = Nothing was found. Try another word or fewer words: diacritics and endings do not matter.
catalogue-show-all = Show all data sets
access-open = open to everybody
access-restricted = by permission
access-sensitive = sensitive, by permission
fresh-at = newest data
