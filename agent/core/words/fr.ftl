# Ce que Forewarn dit aux personnes.

## Notices
changed = Modifié : { $title }
last-call = Dernier avertissement : { $title }
revoked = La messagerie de l’entreprise ({ $takes }) a été retirée de cet appareil
waiting = La messagerie de l’entreprise ({ $takes }) sera retirée quand vous fermerez votre logiciel de messagerie
set-up-again = La messagerie de l’entreprise ({ $takes }) a été configurée de nouveau sur cet appareil
restored = La messagerie de l’entreprise ({ $takes }) est de retour
correction = Rectification : « { $title } » a été envoyé par erreur
will-take = Si { $app } est encore installé le { $deadline }, le compte de messagerie { $takes } sera placé dans un coffre sur cet appareil. Les comptes privés ne sont pas touchés. Supprimez { $app } et rien ne sera retiré ; ce qui a été retiré revient inchangé.
will-take-and-close = Si { $app } est encore installé le { $deadline }, le compte de messagerie { $takes } sera placé dans un coffre sur cet appareil et ses messages enregistrés resteront fermés jusqu’à son retour. Les comptes privés ne sont pas touchés. Supprimez { $app } et rien ne sera retiré ; ce qui a été retiré revient inchangé.
time-is-over = Le délai pour supprimer { $app } est passé : le compte de messagerie { $takes } sera placé à tout moment dans un coffre sur cet appareil, ou s’y trouve déjà. Les comptes privés ne sont pas touchés. Supprimez { $app } et il reste, ou revient aussitôt, inchangé.
only-warns = { $app } est installé. Rien ne sera retiré.
revoked-body = { $app } est encore installé. Supprimez-le et le compte revient aussitôt, inchangé.
waiting-body = Enregistrez vos brouillons et fermez-le vous-même ; il ne sera pas fermé à votre place.
set-up-again-body = Il avait été retiré parce que { $app } est installé, et { $app } l’est toujours. S’il l’est encore le { $deadline }, ce compte sera placé lui aussi dans le coffre.
restored-body = Rien n’a été perdu. Ouvrez votre logiciel de messagerie comme d’habitude.
correction-body = C’était une erreur. Vous n’avez rien à faire.
ask-why = Pourquoi, et à qui s’adresser ? Tapez : { $command }
digest = { $count } messages au sujet de cet appareil
button-read = J’ai lu
button-remove = Le supprimer pour moi
button-why = Pourquoi ?
button-later = Me le rappeler { $length }
remove-asks = Supprimer { $app } de cet appareil ? [o/N]
removing = Suppression de { $app } …
removed = { $app } a été supprimé
not-removed = { $app } n’a pas pu être supprimé
removed-body = Plus rien ne vous est demandé à ce sujet.

## Moments and lengths of time
weekday = { $day ->
    [1] lundi
    [2] mardi
    [3] mercredi
    [4] jeudi
    [5] vendredi
    [6] samedi
   *[7] dimanche
}
month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}
moment = { $weekday } { $day } { $month } { $year } à { $time } { $zone }
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
length = { $larger } { $smaller }
in = dans { $length }
ago = il y a { $length }

## Answers to `forewarn status` and `forewarn why`
nothing-asked = Rien ne vous est demandé.
nothing-now = { $app } est interdit par { $policy } ; rien ne vous est demandé pour le moment.
spared = { $app } est interdit par { $policy }, mais cet appareil en est dispensé jusqu’au { $moment }. Décision de { $names }.
rollout-then = { $app } est interdit par { $policy }, mais pas sur cet appareil jusqu’au { $moment }. Rien ne vous est demandé d’ici là, et vous serez prévenu.
rollout-never = { $app } est interdit par { $policy }, mais pas sur cet appareil. Rien ne vous est demandé.
appealed = C’est transmis aux administrateurs. L’échéance reste la même, sauf décision contraire de leur part.
in-vault = Le compte de messagerie { $domain } est dans le coffre, sur cet appareil.
label-rule = règle
label-signed = signé par
label-matched = reconnu
label-found = trouvé
label-told = annoncé
label-read = lu
label-snoozed = reporté
label-deadline = échéance
label-takes = retire
label-stays = reste
label-now = maintenant
label-undo = annuler
label-contest = contester
label-contact = contact
label-more = détails
label-mail = messagerie
label-server = serveur
label-policies = consignes
label-refused = refusé
label-unread = illisible
label-worker = assistant
label-unknown = inconnu
label-weakened = affaibli
label-reported = signalé
rule = { $rule } de la consigne { $policy }, version { $version }
matched-certain = { $package } est désigné par { $pattern }, listé par { $source } dans { $file }
matched-uncertain = { $package } est désigné par { $pattern }, ce qui ne fait qu’avertir, listé par { $source } dans { $file }
matched-name = { $package } porte ce nom, ce qui ne fait qu’avertir, listé par { $source } dans { $file }
told = { $moment }, { $medium }
not-told = pas encore
medium-desktop = sur votre bureau
medium-terminal = sur votre terminal
medium-login = à votre connexion
deadline = { $moment } ({ $distance })
snoozed = jusqu’au { $moment } ; le dernier avertissement viendra quand même
takes = le compte de messagerie { $domain }
takes-and-closes = le compte de messagerie { $domain }, ses messages enregistrés fermés jusqu’à son retour
takes-nothing = rien
stays = tous les messages et brouillons, les comptes privés et tout le reste de cet appareil
waiting-for = en attente de la fermeture de { $programs }
undo = supprimez { $app } : { $command } ; ce qui a été retiré revient tout seul, inchangé
contest = adressez-vous à { $names } : chacune de ces personnes peut l’annuler ; ou écrivez-leur : { $command }
unread-format = { $document } est écrit au format { $detail }, que cette version de Forewarn ne connaît pas. Rien n’est retiré à cause de lui ; mettez Forewarn à jour.
unread-text = { $document } ne peut pas être lu. Rien n’est retiré à cause de lui : { $detail }
unread-folder = Cette version de Forewarn ne sait pas à quoi sert { $document }. Rien n’est retiré à cause de lui.
or = { $first } ou { $last }
and = { $first }, { $last }
connected = connecté
not-connected = injoignable ; les consignes déjà reçues restent valables
confirmed = confirmé { $moment }
never-confirmed = jamais confirmé
heard = dernier signe { $moment }
packages = { $count ->
    [one] { $count } paquet
   *[other] { $count } paquets
}, { $state } ; la liste reste sur cet appareil
complete = complet
partial = partiel : { $gaps }
nothing-of = rien
nothing-of-list = de { $sources }
unknown = si { $app } est installé ; il ne s’ensuit rien
reported = seulement ceci : forewarn status --json le montre mot pour mot
weakened-clock = l’heure vient d’un fichier
weakened-terminals = parmi vos terminaux, seuls ceux qui sont configurés affichent les avis
weakened-root = les paquets d’un autre système sont listés
weakened-notices = les avis ne viennent que d’une seule manière
weakened-notice = il peut y avoir moins de 24 heures entre le premier avis et le retrait du courrier
weakened-staleness = le courrier peut être retiré sans que le serveur l’ait confirmé depuis plus de 24 heures
weakened-offline = sans serveur, le courrier peut être retiré avant 14 jours
isolation-partial = ce qui travaille dans votre dossier n’est isolé que dans la mesure où ce noyau le permet (Landlock)
isolation-none = ce qui travaille dans votre dossier a vos droits, et pas de droits plus étroits : pas de Landlock ici

## Answers to `forewarn log`
log-nothing = Rien n’a encore été décidé à votre sujet.
log-shown = un avis a été montré { $medium }
log-not-shown = un avis n’a pas pu être montré : { $obstacle }
log-deadline = l’échéance est le { $moment }
log-acknowledged = vous avez dit l’avoir lu
log-snoozed = pas de rappel avant le { $moment }
log-app-gone = l’application a disparu ; plus rien ne vous est demandé
log-policy-gone = plus aucune consigne ne l’interdit ; rien ne vous est demandé
log-mail-taken = le compte de messagerie a été placé dans le coffre
log-mail-back = le compte de messagerie est de retour
log-vault-given = root a remis ce qui est conservé ici au compte { $account }

## How far it has come
stage-found = trouvé, pas encore annoncé
stage-informed = annoncé ; rien de ce qui est à vous ne peut être retiré
stage-warned = annoncé, échéance à venir
stage-held = échéance passée, en suspens
stage-revoking = retrait en cours
stage-revoked = retiré
stage-restoring = retour en cours

## What holds it
hold-only-warns = cette consigne ne fait qu’avertir ; rien ne sera retiré
hold-not-certain = ce qui a été trouvé est peut-être une autre application ; rien ne sera retiré pour cela
hold-not-shown = aucun avis ne vous a encore été montré ; aucun délai ne court
hold-deadline-ahead = l’échéance n’est pas encore passée
hold-last-call = un dernier avertissement vient au moins 15 minutes avant
hold-policy-stale = le serveur n’a pas confirmé la consigne assez récemment
hold-scan-not-fresh = les paquets n’ont pas pu être listés entièrement à l’instant
hold-no-company-mail = il n’y a pas de compte de messagerie de l’entreprise à vous sur cet appareil

## Why it is not known
doubt-no-source = rien, sur ce type d’appareil, ne liste de tels paquets
doubt-not-listed = { $source } n’a pas encore été listé
doubt-partial = une partie de { $source } n’a pas pu être lue
doubt-no-version = { $source } n’indique pas quelle version est installée

## What keeps a notice from a person
obstacle-no-session = vous n’étiez pas connecté là où un avis peut être montré
obstacle-no-service = votre bureau ne montre pas de notifications
obstacle-locked = votre écran était verrouillé
obstacle-away = vous étiez absent
obstacle-do-not-disturb = vous aviez demandé à ne pas être dérangé
obstacle-busy = une réunion, ou autre chose, occupait l’écran
obstacle-vanished = elle a disparu avant que vous ayez pu la lire

## The page that `forewarn status --open` writes
page-title = Ce que votre entreprise demande à cet appareil
page-made = Établi { $moment }. Cette page montre cet instant et ne change pas.
page-timeline = Chronologie de { $app }
page-now = maintenant
page-found = trouvé
page-shown = premier avis
page-last-shown = dernier avis
page-reminder = rappel
page-last-call = dernier avertissement
page-deadline = échéance
page-report = Ce qui a été signalé à votre sujet
page-report-intro = Voici, mot pour mot, le dernier rapport de cet appareil, sans les parties des autres personnes. Aucune liste de vos applications n’y figure.
page-no-report = Rien n’a encore été signalé.
page-device = Cet appareil
