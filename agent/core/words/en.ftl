# What Forewarn says to people. One file a language, each with the same messages; a test compares them.
# { $app } one or more apps; { $takes } mail domains; { $deadline } a moment; { $command } something to type.

## Notices
changed = Changed: { $title }
last-call = Last call: { $title }
revoked = Company mail ({ $takes }) was taken off this device
waiting = Company mail ({ $takes }) leaves when you close your mail program
set-up-again = Company mail ({ $takes }) was set up again on this device
restored = Company mail ({ $takes }) is back
correction = Correction: "{ $title }" was sent in error
will-take = If { $app } is still installed on { $deadline }, the mail account of { $takes } is moved into a vault on this device. Private accounts are not touched. Remove { $app }, and nothing is taken; what was taken comes back unchanged.
will-take-and-close = If { $app } is still installed on { $deadline }, the mail account of { $takes } is moved into a vault on this device, and its stored mail is closed until it is back. Private accounts are not touched. Remove { $app }, and nothing is taken; what was taken comes back unchanged.
time-is-over = The time to remove { $app } is over: the mail account of { $takes } goes into a vault on this device at any moment, or is there already. Private accounts are not touched. Remove { $app }, and it stays, or is back at once, unchanged.
only-warns = { $app } is installed. Nothing will be taken.
revoked-body = { $app } is still installed. Remove it, and the account is back at once, unchanged.
waiting-body = Save your drafts and close it yourself; it will not be closed for you.
set-up-again-body = It was taken because { $app } is installed, and { $app } still is. If it is on { $deadline } too, this mail account is moved into the vault as well.
restored-body = Nothing was lost. Open your mail program as always.
correction-body = This was a mistake. You need to do nothing.
ask-why = Why, and whom to ask? Run: { $command }
digest = { $count } messages about this device
button-read = I have read this
button-remove = Remove it for me
button-why = Why?
button-later = Remind me { $length }
remove-asks = Remove { $app } from this device? [y/N]
removing = Removing { $app } …
removed = { $app } was removed
not-removed = { $app } could not be removed
removed-body = Nothing more is asked of you for it.

## Moments and lengths of time
weekday = { $day ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
}
month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
moment = { $weekday } { $day } { $month } { $year }, { $time } { $zone }
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
length = { $larger } { $smaller }
in = in { $length }
ago = { $length } ago

## Answers to `forewarn status` and `forewarn why`
nothing-asked = Nothing is asked of you.
nothing-now = { $app } is banned by { $policy }, and asks nothing of you now.
spared = { $app } is banned by { $policy }, but this device is spared until { $moment }. { $names } decided that.
rollout-then = { $app } is banned by { $policy }, but not on this device until { $moment }. Nothing is asked of you until then, and you will be told.
rollout-never = { $app } is banned by { $policy }, but not on this device. Nothing is asked of you.
appealed = It went to the admins. The deadline stays as it is, unless they decide otherwise.
in-vault = The mail profile of { $domain } is in the vault on this device.
label-rule = rule
label-signed = signed by
label-matched = matched
label-found = found
label-told = told
label-read = read
label-snoozed = snoozed
label-deadline = deadline
label-takes = takes
label-stays = stays
label-now = now
label-undo = undo
label-contest = contest
label-contact = contact
label-more = more
label-mail = mail
label-server = server
label-policies = policies
label-refused = refused
label-unread = unread
label-worker = worker
label-unknown = unknown
label-weakened = weakened by
label-reported = reported
rule = { $rule } of policy { $policy }, version { $version }
matched-certain = { $package } is named by { $pattern }, listed by { $source } in { $file }
matched-uncertain = { $package } is named by { $pattern }, which only warns, listed by { $source } in { $file }
matched-name = { $package } is called like it, which only warns, listed by { $source } in { $file }
told = { $moment }, { $medium }
not-told = not yet
medium-desktop = on your desktop
medium-terminal = on your terminal
medium-login = when you logged in
deadline = { $moment } ({ $distance })
snoozed = until { $moment }; a last call comes all the same
takes = the mail account of { $domain }
takes-and-closes = the mail account of { $domain }, its stored mail closed until it is back
takes-nothing = nothing
stays = all mail and drafts, private accounts, and everything else on this device
waiting-for = waiting for { $programs } to close
undo = remove { $app }: { $command }; what was taken comes back by itself, unchanged
contest = ask { $names }: any one of them can withdraw it; or write to them: { $command }
unread-format = { $document } is written in format { $detail }, which this version of Forewarn does not know. Nothing is taken by it; update Forewarn.
unread-text = { $document } can't be read. Nothing is taken by it: { $detail }
unread-folder = This version of Forewarn does not know what { $document } is for. Nothing is taken by it.
or = { $first } or { $last }
and = { $first }, { $last }
connected = connected
not-connected = not reached; the policies that are here still count
confirmed = confirmed { $moment }
never-confirmed = never confirmed
heard = last heard { $moment }
packages = { $count ->
    [one] { $count } package
   *[other] { $count } packages
}, { $state }; the list stays on this device
complete = complete
partial = partial: { $gaps }
nothing-of = nothing
nothing-of-list = of { $sources }
unknown = whether { $app } is installed; nothing follows from that
reported = only this: forewarn status --json shows it word for word
weakened-clock = time comes from a file
weakened-terminals = of your terminals, only those that are set show notices
weakened-root = the packages of another system are listed
weakened-notices = notices come in one way only
weakened-notice = there may be less than 24 hours between the first notice and the moment when mail is taken
weakened-staleness = mail may be taken though the server has not confirmed that for over 24 hours
weakened-offline = without a server, mail may be taken sooner than after 14 days
isolation-partial = what works in the home is shut in only as far as this kernel can (Landlock)
isolation-none = what works in the home has its person's rights, and no narrower ones: no Landlock here

## Answers to `forewarn log`
log-nothing = Nothing was decided about you yet.
log-shown = a notice was shown { $medium }
log-not-shown = a notice could not be shown: { $obstacle }
log-deadline = the deadline is { $moment }
log-acknowledged = you said that you have read it
log-snoozed = no reminder until { $moment }
log-app-gone = the app is gone; nothing more is asked of you
log-policy-gone = no policy bans it any more; nothing is asked of you
log-mail-taken = the mail profile was moved into the vault
log-mail-back = the mail profile is back
log-vault-given = root gave what is kept here to the account { $account }

## How far it has come
stage-found = found, not yet told
stage-informed = told; nothing of yours can be taken
stage-warned = told, deadline ahead
stage-held = deadline passed, held
stage-revoking = being revoked
stage-revoked = revoked
stage-restoring = being restored

## What holds it
hold-only-warns = this policy only warns; nothing will be taken
hold-not-certain = what was found may be another app, so nothing will be taken for it
hold-not-shown = no notice was shown to you yet, so no deadline runs
hold-deadline-ahead = the deadline is still ahead
hold-last-call = a last call comes at least 15 minutes before
hold-policy-stale = the server has not confirmed the policy recently enough
hold-scan-not-fresh = the packages could not be listed completely just now
hold-no-company-mail = there is no company mail profile of yours on this device

## Why it is not known
doubt-no-source = nothing on this kind of device lists such packages
doubt-not-listed = { $source } was not listed yet
doubt-partial = a part of { $source } could not be read
doubt-no-version = { $source } does not say which version is installed

## What keeps a notice from a person
obstacle-no-session = you were not logged in where a notice can be shown
obstacle-no-service = your desktop shows no notifications
obstacle-locked = your screen was locked
obstacle-away = you were away
obstacle-do-not-disturb = you asked not to be disturbed
obstacle-busy = a meeting, or something else, held the screen
obstacle-vanished = it vanished before you could have read it

## The page that `forewarn status --open` writes
page-title = What your company asks of this device
page-made = Made { $moment }. It shows that moment and does not change.
page-timeline = Timeline of { $app }
page-now = now
page-found = found
page-shown = first notice
page-last-shown = last notice
page-reminder = reminder
page-last-call = last call
page-deadline = deadline
page-report = What was reported about you
page-report-intro = This, word for word, is the last report of this device, without other people's parts. No list of your apps is in it.
page-no-report = Nothing was reported yet.
page-device = This device
