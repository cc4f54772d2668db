# Was Forewarn den Menschen sagt. Die Fälle in »minutes«, »hours« und »days« stehen nach »in« und »vor«.

## Notices
changed = Geändert: { $title }
last-call = Letzte Warnung: { $title }
revoked = Die Firmenmail ({ $takes }) wurde von diesem Gerät genommen
waiting = Die Firmenmail ({ $takes }) geht, sobald Sie Ihr Mailprogramm schließen
set-up-again = Die Firmenmail ({ $takes }) wurde auf diesem Gerät neu eingerichtet
restored = Die Firmenmail ({ $takes }) ist wieder da
correction = Berichtigung: »{ $title }« wurde irrtümlich verschickt
will-take = Wenn { $app } am { $deadline } noch installiert ist, kommt das Mailkonto von { $takes } in einen Tresor auf diesem Gerät. Private Konten bleiben unberührt. Entfernen Sie { $app }, und nichts wird genommen; was genommen wurde, kommt unverändert zurück.
will-take-and-close = Wenn { $app } am { $deadline } noch installiert ist, kommt das Mailkonto von { $takes } in einen Tresor auf diesem Gerät, und seine gespeicherten Mails bleiben verschlossen, bis es zurück ist. Private Konten bleiben unberührt. Entfernen Sie { $app }, und nichts wird genommen; was genommen wurde, kommt unverändert zurück.
time-is-over = Die Zeit, { $app } zu entfernen, ist abgelaufen: das Mailkonto von { $takes } kommt jederzeit in einen Tresor auf diesem Gerät oder ist schon dort. Private Konten bleiben unberührt. Entfernen Sie { $app }, und es bleibt, oder ist sofort und unverändert wieder da.
only-warns = { $app } ist installiert. Es wird nichts genommen.
revoked-body = { $app } ist noch installiert. Entfernen Sie es, und das Konto ist sofort und unverändert wieder da.
waiting-body = Speichern Sie Ihre Entwürfe und schließen Sie es selbst; es wird nicht für Sie geschlossen.
set-up-again-body = Es wurde genommen, weil { $app } installiert ist, und { $app } ist es noch. Ist es das auch am { $deadline }, kommt dieses Mailkonto ebenfalls in den Tresor.
restored-body = Nichts ging verloren. Öffnen Sie Ihr Mailprogramm wie immer.
correction-body = Das war ein Fehler. Sie müssen nichts tun.
ask-why = Warum, und wen fragen? Geben Sie ein: { $command }
digest = { $count } Nachrichten zu diesem Gerät
button-read = Ich habe es gelesen
button-remove = Für mich entfernen
button-why = Warum?
button-later = { $length } erinnern
remove-asks = { $app } von diesem Gerät entfernen? [j/N]
removing = { $app } wird entfernt …
removed = { $app } wurde entfernt
not-removed = { $app } konnte nicht entfernt werden
removed-body = Dafür wird nichts weiter von Ihnen verlangt.

## Moments and lengths of time
weekday = { $day ->
    [1] Montag
    [2] Dienstag
    [3] Mittwoch
    [4] Donnerstag
    [5] Freitag
    [6] Samstag
   *[7] Sonntag
}
month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
moment = { $weekday }, { $day }. { $month } { $year }, { $time } { $zone }
minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tagen
}
length = { $larger } { $smaller }
in = in { $length }
ago = vor { $length }

## Answers to `forewarn status` and `forewarn why`
nothing-asked = Von Ihnen wird nichts verlangt.
nothing-now = { $app } ist durch { $policy } untersagt; von Ihnen wird derzeit nichts verlangt.
spared = { $app } ist durch { $policy } untersagt, aber dieses Gerät ist bis { $moment } ausgenommen. Das hat { $names } entschieden.
rollout-then = { $app } ist durch { $policy } untersagt, aber bis { $moment } nicht auf diesem Gerät. Bis dahin wird nichts von Ihnen verlangt, und Sie werden benachrichtigt.
rollout-never = { $app } ist durch { $policy } untersagt, aber nicht auf diesem Gerät. Von Ihnen wird nichts verlangt.
appealed = Es ging an die Admins. Die Frist bleibt, wie sie ist, wenn sie nicht anders entscheiden.
in-vault = Das Mailkonto von { $domain } liegt im Tresor auf diesem Gerät.
label-rule = Regel
label-signed = unterschrieben von
label-matched = gefunden wurde
label-found = gefunden
label-told = mitgeteilt
label-read = gelesen
label-snoozed = verschoben
label-deadline = Frist
label-takes = nimmt
label-stays = bleibt
label-now = jetzt
label-undo = rückgängig
label-contest = widersprechen
label-contact = Kontakt
label-more = mehr
label-mail = Mail
label-server = Server
label-policies = Vorgaben
label-refused = abgelehnt
label-unread = nicht lesbar
label-worker = Helfer
label-unknown = unbekannt
label-weakened = abgeschwächt
label-reported = gemeldet
rule = { $rule } der Vorgabe { $policy }, Fassung { $version }
matched-certain = { $package } wird von { $pattern } genannt, aufgeführt von { $source } in { $file }
matched-uncertain = { $package } wird von { $pattern } genannt, was nur warnt, aufgeführt von { $source } in { $file }
matched-name = { $package } heißt so, was nur warnt, aufgeführt von { $source } in { $file }
told = { $moment }, { $medium }
not-told = noch nicht
medium-desktop = auf Ihrem Bildschirm
medium-terminal = auf Ihrem Terminal
medium-login = bei Ihrer Anmeldung
deadline = { $moment } ({ $distance })
snoozed = bis { $moment }; die letzte Warnung kommt trotzdem
takes = das Mailkonto von { $domain }
takes-and-closes = das Mailkonto von { $domain }; seine gespeicherten Mails bleiben verschlossen, bis es zurück ist
takes-nothing = nichts
stays = alle Mails und Entwürfe, private Konten und alles andere auf diesem Gerät
waiting-for = wartet, bis { $programs } geschlossen wird
undo = { $app } entfernen: { $command }; was genommen wurde, kommt von selbst und unverändert zurück
contest = fragen Sie { $names }: jede dieser Personen kann es zurücknehmen; oder schreiben Sie ihnen: { $command }
unread-format = { $document } ist im Format { $detail } geschrieben, das diese Version von Forewarn nicht kennt. Nichts wird deswegen weggenommen; aktualisieren Sie Forewarn.
unread-text = { $document } kann nicht gelesen werden. Nichts wird deswegen weggenommen: { $detail }
unread-folder = Diese Version von Forewarn weiß nicht, wofür { $document } ist. Nichts wird deswegen weggenommen.
or = { $first } oder { $last }
and = { $first }, { $last }
connected = verbunden
not-connected = nicht erreicht; die Vorgaben, die hier sind, gelten weiter
confirmed = bestätigt { $moment }
never-confirmed = nie bestätigt
heard = zuletzt gehört { $moment }
packages = { $count ->
    [one] { $count } Paket
   *[other] { $count } Pakete
}, { $state }; die Liste bleibt auf diesem Gerät
complete = vollständig
partial = unvollständig: { $gaps }
nothing-of = nichts
nothing-of-list = von { $sources }
unknown = ob { $app } installiert ist; daraus folgt nichts
reported = nur dies: forewarn status --json zeigt es Wort für Wort
weakened-clock = die Zeit kommt aus einer Datei
weakened-terminals = von Ihren Terminals zeigen nur die eingestellten Hinweise
weakened-root = die Pakete eines anderen Systems werden aufgelistet
weakened-notices = Hinweise kommen nur auf eine Weise
weakened-notice = zwischen dem ersten Hinweis und dem Entzug der Mail können weniger als 24 Stunden liegen
weakened-staleness = Mail kann entzogen werden, obwohl der Server das seit über 24 Stunden nicht bestätigt hat
weakened-offline = ohne Server kann Mail früher als nach 14 Tagen entzogen werden
isolation-partial = was im Heimordner arbeitet, ist nur so weit eingeschlossen, wie dieser Kernel es kann (Landlock)
isolation-none = was im Heimordner arbeitet, hat die Rechte seiner Person und keine engeren: hier gibt es kein Landlock

## Answers to `forewarn log`
log-nothing = Über Sie wurde noch nichts entschieden.
log-shown = eine Mitteilung wurde { $medium } gezeigt
log-not-shown = eine Mitteilung konnte nicht gezeigt werden: { $obstacle }
log-deadline = die Frist ist { $moment }
log-acknowledged = Sie haben gesagt, dass Sie es gelesen haben
log-snoozed = keine Erinnerung bis { $moment }
log-app-gone = die App ist weg; von Ihnen wird nichts mehr verlangt
log-policy-gone = keine Vorgabe untersagt sie mehr; von Ihnen wird nichts verlangt
log-mail-taken = das Mailkonto kam in den Tresor
log-mail-back = das Mailkonto ist wieder da
log-vault-given = root hat das hier Aufbewahrte dem Konto { $account } gegeben

## How far it has come
stage-found = gefunden, noch nicht mitgeteilt
stage-informed = mitgeteilt; von Ihnen kann nichts genommen werden
stage-warned = mitgeteilt, die Frist läuft
stage-held = Frist abgelaufen, wird aufgehalten
stage-revoking = wird entzogen
stage-revoked = entzogen
stage-restoring = kommt zurück

## What holds it
hold-only-warns = diese Vorgabe warnt nur; es wird nichts genommen
hold-not-certain = gefunden wurde vielleicht eine andere App, darum wird ihretwegen nichts genommen
hold-not-shown = Ihnen wurde noch keine Mitteilung gezeigt, darum läuft keine Frist
hold-deadline-ahead = die Frist ist noch nicht abgelaufen
hold-last-call = mindestens 15 Minuten vorher kommt eine letzte Warnung
hold-policy-stale = der Server hat die Vorgabe nicht kürzlich genug bestätigt
hold-scan-not-fresh = die Pakete konnten eben nicht vollständig aufgelistet werden
hold-no-company-mail = auf diesem Gerät gibt es kein Firmenmailkonto von Ihnen

## Why it is not known
doubt-no-source = auf einem Gerät dieser Art führt nichts solche Pakete auf
doubt-not-listed = { $source } wurde noch nicht aufgelistet
doubt-partial = ein Teil von { $source } konnte nicht gelesen werden
doubt-no-version = { $source } sagt nicht, welche Version installiert ist

## What keeps a notice from a person
obstacle-no-session = Sie waren nirgends angemeldet, wo eine Mitteilung gezeigt werden kann
obstacle-no-service = Ihr Bildschirm zeigt keine Mitteilungen
obstacle-locked = Ihr Bildschirm war gesperrt
obstacle-away = Sie waren nicht am Gerät
obstacle-do-not-disturb = Sie wollten nicht gestört werden
obstacle-busy = eine Besprechung oder etwas anderes hielt den Bildschirm wach
obstacle-vanished = sie verschwand, bevor Sie sie lesen konnten

## The page that `forewarn status --open` writes
page-title = Was Ihre Firma von diesem Gerät verlangt
page-made = Erstellt { $moment }. Die Seite zeigt diesen Augenblick und ändert sich nicht.
page-timeline = Zeitleiste für { $app }
page-now = jetzt
page-found = gefunden
page-shown = erste Mitteilung
page-last-shown = jüngste Mitteilung
page-reminder = Erinnerung
page-last-call = letzte Warnung
page-deadline = Frist
page-report = Was über Sie gemeldet wurde
page-report-intro = Das ist, Wort für Wort, die letzte Meldung dieses Geräts ohne die Teile anderer Personen. Eine Liste Ihrer Apps ist nicht darin.
page-no-report = Bisher wurde nichts gemeldet.
page-device = Dieses Gerät
