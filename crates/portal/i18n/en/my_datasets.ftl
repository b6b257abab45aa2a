nav-my-datasets = Our data
count-sets = { $n ->
    [one] { $shown } data set
   *[other] { $shown } data sets
 }
sets-none = Here will be the data sets your institution gives to others: how fresh they are, what is held, and who reads them.
sets-none-how = To make the first, describe it in a few lines: its name, its key and its fields. A definition goes to the sandbox first, where it can be tried.
sets-none-who = The first is made by the head or the data manager of your institution, once it is a provider.
set-name = Data set
set-state = State
set-fresh = Last updated
set-records = Records
set-held = Held packages
set-quarantined = Rows not accepted
set-recipients = Recipients
set-version = Definition version
section-title-main = Main section
section-title-sandbox = Sandbox
set-published = published
set-tried = in the sandbox
set-in-catalogue = As others see it
set-to-publish = The sandbox holds a new definition that is not published yet.
fresh-late = late
fresh-kept = on time
back-to-set = Back to the data set
back-to-sets = Back to our data

definition-new = New data set
definition-title = Definition of the data set
definition-edit = Edit the definition
definition-read = Read the definition
definition-lead = Describe what the data are. The check shows every fault at once, and what a change would mean to recipients. What you save goes to the sandbox; nothing changes in the main section until you publish.
definition-who = The head or the data manager of the institution changes the definition.
definition-text = Definition
definition-hint = One field a line: name, type, colon, meaning. If you change the definition, trial records in the sandbox are deleted.
definition-save = Save to the sandbox
definition-check = Check
definition-whole = No faults
definition-faults = { $n ->
    [one] { $shown } fault
   *[other] { $shown } faults
 }
definition-faults-below = The faults are listed below the text
definition-more-faults = { $n ->
    [one] { $shown } more fault is not shown.
   *[other] { $shown } more faults are not shown.
 }
line = Line { $line }
checking = Checking…
check-failed = Checking does not work just now. Your text is on the page; press “Check” again.
conflict-title = While you were writing, somebody else saved this definition
conflict-text = Your text is here, nothing is lost. Look at what was saved and compare. If you save again, your text stays.
conflict-look = Look at the saved definition in a new tab
language-title = How to write a definition
language-lead = A definition is a text. The top says what the data set is; the fields stand below. An example:
language-example = Example of a definition
language-sample =
    name: dogs
    key: Number
    subject: Owner
    data_description: Registered dogs
    classification: restricted
    freshness: 1d
    indexes: [Breed]
    fields:
    {"  "}- Number : Number of the chip
    {"  "}- Owner person_code : Personal code of the owner
    {"  "}- Breed : Breed
    {"  "}- Born date : Date of birth
language-name = A short name in lower case. It cannot change later.
language-key = The field or fields that tell one record from another.
language-subject = The field with the personal code of whom the data are about. That person then sees every disclosure under “My data”.
language-classification = open, restricted (needs a permission) or sensitive.
language-freshness = How soon after a change you promise to deliver, for example 1h or 1d.
language-indexes = Fields that can be searched by.
language-guard = How large a share of the records one package may remove without asking you; 10 % when nothing is said.
language-fields = Fields: name, type, and meaning behind the colon. Types: text (when nothing is said), int, decimal, bool, date, timestamp, person_code, org_code, code(LIST). A ! behind the type (or the name, where there is no type) makes the field required.
language-more = The interface description that is made from definitions

evolution-title = Compared with what is published
evolution-none = This data set is not published yet, so a change hits nobody.
evolution-identical = nothing changes
evolution-compatible = compatible: recipients can go on as before
evolution-incompatible = incompatible: something that recipients rely on would be lost
change-place = Where
change-what = What changes
change-safe = Safe
change-is-safe = safe
change-breaks = incompatible
change-added = added
change-added-required = added as required, but existing records have no value
change-added-before = added before existing fields; put it at the end
change-removed = removed
change-moved = moved
change-required = becomes required, but existing records may have no value
change-optional = no longer required
change-list = becomes a list
change-no-list = is no longer a list
change-description = description changed
change-personal = mark of personal data changed
change-on = switched on
change-off = switched off: what was kept would be lost
change-kind = changed between a field and a group of fields
change-from = changed from { $from } to { $to }
change-other = changed
change-read = the condition { $when } reads it as a whole number, and a decimal is another value to it; leave it int and add a decimal field at the end
change-name-added = added: { $name }
change-name-removed = removed: { $name }
change-name-condition = another condition: { $name }
change-name-anew = will be built anew: { $name }
touches-none = No permission is touched.
touches-title = { $n ->
    [one] { $shown } permission is touched
   *[other] { $shown } permissions are touched
 }
touches-permission = permission { $number }
unpublishable-title = To mend before publishing

publish-title = Publish
publish-lead = Check what will change. The definition moves to the main section; trial records never do.
publish-do = Publish the definition
publish-and-empty = Publish and delete the present records
publish-empties = The definition is not compatible with the published one. All records of the main section will be deleted and have to be delivered again.
publish-stopped = This cannot be published: permissions in force rely on the present definition
publish-stopped-how = Go back to compatible changes, or make a new data set that replaces this one, and write in its definition:
publish-nothing = Nothing to publish: the sandbox holds no new definition.
done-definition-saved = The definition is saved to the sandbox
done-dataset-published = The definition is published

package = Package
package-title = Package { $id }
package-state = State
package-mode = Kind
package-received = Received
package-open = coming in
package-applied = accepted
package-held = held
package-rejected = rejected
package-quarantine = See the rows that were not accepted
mode-snapshot = the whole set
mode-delta = changes
packages-title = Packages
packages-main = Packages in the main section
packages-sandbox = Packages in the sandbox
packages-none = Here will be packages: what your system delivered, how many records were accepted and how many were not. The first is delivered by your institution's system with a provider's connection.
packages-more = Earlier packages
back-to-package = Back to the package
receipt-title = Receipt
receipt-signed = Your system got the same. The platform has signed it.
receipt-received = Rows received
receipt-accepted = New or changed
receipt-unchanged = Unchanged
receipt-deleted = Removed
receipt-duplicates = Repeated
receipt-expired = Past their retention
receipt-quarantined = Not accepted

held-title = Held packages
held-would-delete = { $n ->
    [one] Waits for your decision: it would remove { $shown } record.
   *[other] Waits for your decision: it would remove { $shown } records.
 }
held-lead = The package is held because it would remove more records than the definition allows without asking. Nothing has changed so far.
held-records = In the data set now
held-delete = Would be removed
held-guard = May be removed without asking
held-outdated = Another package was accepted since, so this one can no longer be. Reject it and deliver the present state again.
held-who = The head or the data manager of your institution decides.
held-confirm = Accept…
held-reject = Reject the package
held-confirm-title = Accept the held package?
held-confirm-lead = Records that are not in the package will be removed at once, and recipients will learn of it. It cannot be undone; removed records can only be delivered again.
held-confirm-do = Accept and remove { $records }
held-reject-title = Reject the held package?
held-reject-lead = Nothing will change in the data set. What the package held is not kept; another may be delivered under the same number.
done-package-confirmed = The package is accepted
done-package-rejected = The package is rejected; the data have not changed
problem-package-unknown = There is no such package. One that was refused on arrival leaves nothing.
problem-package-not-held = This package is no longer held: somebody has decided already.
problem-package-outdated = Another package was accepted since, or the definition changed. Deliver the present state again.
problem-package-refused = No row was valid, so nothing has changed. Mend them and deliver again.
problem-definition-incompatible = The definition is not compatible with the published one, and permissions in force rely on that. Make a new data set that replaces this one.

quarantine-title = Rows not accepted
quarantine-lead = Rows that do not fit the definition. The other rows of the package were accepted. Values are not shown here: find the row in your system by its number, mend it and deliver again.
quarantine-section = Section
quarantine-package = Package
quarantine-line = Row
quarantine-field = Field
quarantine-rule = Rule
quarantine-reason = Reason
quarantine-none = Here would be rows that were not accepted. There are none.
quarantine-export = Download this list (CSV)

recipients-title = Recipients
recipients-sandbox = These are permissions in the sandbox.
recipients-none = Here will be institutions that may read this data set. There are none so far.
recipients-who = Who
recipients-why = Purpose
recipients-what = Fields
recipients-ways = How
recipients-last = Last read
recipients-never = never yet
recipients-more = { $n ->
    [one] and { $shown } more field
   *[other] and { $shown } more fields
 }
reads-active = active
reads-suspended = suspended
reads-ended = revoked

rule-word-unknown = unknown word
rule-word-missing = missing word
rule-word-repeated = repeated word
rule-word-order = order of words
rule-value-invalid = invalid value
rule-field-line = field line not understood
rule-field-name = invalid field name
rule-field-unknown = unknown field
rule-field-repeated = repeated field
rule-fields = fields
rule-type-unknown = unknown type
rule-type-conflict = conflicting types
rule-type = wrong type
rule-key = key
rule-index = index
rule-subject = subject
rule-subject-missing = not said whom the data are about
rule-public = public file
rule-retention = retention
rule-changes = change list
rule-csv = CSV
rule-replaces = replaced data set
rule-classification = classification
rule-yaml = structure of the text
rule-yaml-tag = structure of the text
rule-indentation = indentation
rule-limit = too much
rule-name-taken = name
rule-json = structure of the JSON
rule-required = a required field is empty
rule-duplicates = rows that differ under one key
rule-operation = invalid operation
rule-ragged = another number of columns
rule-quote = quotes
rule-range = value out of range
rule-person-code = invalid personal code
rule-record-size = record too large
rule-unknown-field = unknown field
rule-key-invalid = invalid key
rule-key-length = key too long
stop-title = Emergency stop
stop-lead = Nobody receives the data set under a permission any more, at once. A stop can be ended: then permissions serve as before.
stop-open = This data set is open: a stop does not close open data.
stop-running = The data set is stopped
stop-count = Permissions stopped
stop-reason = Why
stop-do = Stop the data set
stop-resume = End the stop
stop-history = Earlier stops
stop-none = This data set was never stopped.
stop-since = stopped
stop-until = ended
done-stopped = The data set was stopped.
done-resumed = The stop was ended.
templates-title = Templates of applications
templates-lead = A template is an application made ready for one use: what for, by which law, which fields. An applicant chooses it, and cannot ask for more.
templates-none = There are no templates yet.
templates-retired = No longer in use
template-new = New template
template-edit = Template
template-lead = Applicants see this title and description. They do not change purpose and law; fields, ways, number and time they may only lessen.
template-title = Title
template-title-hint = For example, “Granting a benefit in a municipality”.
template-use-case = What it is for
template-use-case-hint = Who uses these data, and when.
template-fixed-hint = The same in every application.
template-fields = Fields, no more than these
template-when = Condition: which records
template-when-hint = In CEL, for example: record.Town == "Cēsis". Empty: the applicant chooses.
template-quota = How many times, at most
template-quota-unit = What is counted
template-quota-call = requests
template-quota-record = records
template-days = How many days, at most
template-empty-hint = Empty: no bound.
template-why = Why
template-retire = Use it no more
template-is-retired = This template is no longer in use: nothing new can be applied for under it.
rules-title = Which applications we take
rules-template-only = Under a template only
rules-template-only-hint = Without a template nothing can be submitted. What was submitted stays.
dataset-templates = Applications made ready
dataset-templates-lead = If your need is one of these, the application is nearly filled in.
dataset-templates-only = The provider takes applications under these templates only.
new-template = Under which template
new-template-none = None: I fill in everything
asked-template = Template
asked-template-of = No. { $template }; all that is asked lies within it
done-template-made = The template is made.
done-template-changed = The template is changed. Drafts under the one before begin anew.
done-template-retired = The template is no longer in use.
done-rules-set = Saved.
fault-template = The template does not hold this.
fault-template-required = The provider takes applications under a template only. Begin from the data set’s page.
fault-template-outdated = The provider has changed or retired the template. Begin from the data set’s page.
fault-template-unknown = The data set has no such template. Begin from the data set’s page.
fault-quota-range = Write a whole number above nought, or leave it empty.
fault-days-range = Write a number of days from 1 to 36500, or leave it empty.
rules-test-access = Give the sandbox at once
rules-test-access-hint = Whoever asks for it tries it after submitting, without a decision, while it holds only records the system made up. A delivery suspends these permissions. It is your decision, and the system signs it.
sandbox-title = Sandbox
sandbox-is-generated = It holds only records the system made up.
sandbox-not-generated = It is empty, or holds delivered records: the rule gives nothing now.
sandbox-fill-lead = Made-up records take the place of everything that is in the sandbox now.
sandbox-records = How many records
sandbox-records-hint = From 1 to 10,000.
sandbox-fill = Fill with made-up records
done-sandbox-filled = The sandbox is filled.
fault-records-range = Write a number from 1 to 10000.
dataset-test-access = You get the sandbox, with made-up records, at once when you submit the application.
