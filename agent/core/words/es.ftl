# Lo que Forewarn dice a las personas.

## Notices
changed = Cambio: { $title }
last-call = Último aviso: { $title }
revoked = El correo de la empresa ({ $takes }) se ha retirado de este dispositivo
waiting = El correo de la empresa ({ $takes }) se retirará cuando cierre su programa de correo
set-up-again = El correo de la empresa ({ $takes }) se ha configurado de nuevo en este dispositivo
restored = El correo de la empresa ({ $takes }) ha vuelto
correction = Rectificación: «{ $title }» se envió por error
will-take = Si { $app } sigue instalado el { $deadline }, la cuenta de correo de { $takes } se guardará en una caja fuerte de este dispositivo. Las cuentas privadas no se tocan. Quite { $app } y no se retirará nada; lo retirado vuelve sin cambios.
will-take-and-close = Si { $app } sigue instalado el { $deadline }, la cuenta de correo de { $takes } se guardará en una caja fuerte de este dispositivo y sus mensajes guardados quedarán cerrados hasta que vuelva. Las cuentas privadas no se tocan. Quite { $app } y no se retirará nada; lo retirado vuelve sin cambios.
time-is-over = El plazo para quitar { $app } ha terminado: la cuenta de correo de { $takes } se guardará en cualquier momento en una caja fuerte de este dispositivo, o ya está en ella. Las cuentas privadas no se tocan. Quite { $app } y la cuenta se queda, o vuelve enseguida, sin cambios.
only-warns = { $app } está instalado. No se retirará nada.
revoked-body = { $app } sigue instalado. Quítelo y la cuenta volverá enseguida, sin cambios.
waiting-body = Guarde sus borradores y ciérrelo usted; nadie lo cerrará por usted.
set-up-again-body = Se retiró porque { $app } está instalado, y { $app } lo sigue estando. Si también lo está el { $deadline }, esta cuenta se guardará igualmente en la caja fuerte.
restored-body = No se ha perdido nada. Abra su programa de correo como siempre.
correction-body = Fue un error. No tiene que hacer nada.
ask-why = ¿Por qué, y a quién preguntar? Escriba: { $command }
digest = { $count } mensajes sobre este dispositivo
button-read = Lo he leído
button-remove = Quitarlo por mí
button-why = ¿Por qué?
button-later = Recordármelo { $length }
remove-asks = ¿Quitar { $app } de este dispositivo? [s/N]
removing = Quitando { $app } …
removed = { $app } se ha quitado
not-removed = { $app } no se ha podido quitar
removed-body = No se le pide nada más por ello.

## Moments and lengths of time
weekday = { $day ->
    [1] lunes
    [2] martes
    [3] miércoles
    [4] jueves
    [5] viernes
    [6] sábado
   *[7] domingo
}
month = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}
moment = { $weekday }, { $day } de { $month } de { $year }, { $time } { $zone }
minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}
hours = { $count ->
    [one] { $count } hora
   *[other] { $count } horas
}
days = { $count ->
    [one] { $count } día
   *[other] { $count } días
}
length = { $larger } { $smaller }
in = dentro de { $length }
ago = hace { $length }

## Answers to `forewarn status` and `forewarn why`
nothing-asked = No se le pide nada.
nothing-now = { $policy } prohíbe { $app }; por ahora no se le pide nada.
spared = { $policy } prohíbe { $app }, pero este dispositivo está exento hasta { $moment }. Lo decidió { $names }.
rollout-then = { $policy } prohíbe { $app }, pero en este dispositivo no hasta { $moment }. Hasta entonces no se le pide nada, y se le avisará.
rollout-never = { $policy } prohíbe { $app }, pero no en este dispositivo. No se le pide nada.
appealed = Se ha enviado a los administradores. El plazo sigue igual, salvo que decidan otra cosa.
in-vault = La cuenta de correo de { $domain } está en la caja fuerte de este dispositivo.
label-rule = regla
label-signed = firmado por
label-matched = reconocido
label-found = encontrado
label-told = avisado
label-read = leído
label-snoozed = aplazado
label-deadline = plazo
label-takes = retira
label-stays = se queda
label-now = ahora
label-undo = deshacer
label-contest = reclamar
label-contact = contacto
label-more = más
label-mail = correo
label-server = servidor
label-policies = normas
label-refused = rechazado
label-unread = ilegible
label-worker = ayudante
label-unknown = desconocido
label-weakened = debilitado
label-reported = comunicado
rule = { $rule } de la norma { $policy }, versión { $version }
matched-certain = { $pattern } nombra { $package }, según { $source } en { $file }
matched-uncertain = { $pattern } nombra { $package }, lo que solo avisa, según { $source } en { $file }
matched-name = { $package } se llama así, lo que solo avisa, según { $source } en { $file }
told = { $moment }, { $medium }
not-told = todavía no
medium-desktop = en su escritorio
medium-terminal = en su terminal
medium-login = al iniciar sesión
deadline = { $moment } ({ $distance })
snoozed = hasta { $moment }; el último aviso llegará de todos modos
takes = la cuenta de correo de { $domain }
takes-and-closes = la cuenta de correo de { $domain }, con sus mensajes guardados cerrados hasta que vuelva
takes-nothing = nada
stays = todos los mensajes y borradores, las cuentas privadas y todo lo demás de este dispositivo
waiting-for = a la espera de que se cierre { $programs }
undo = quite { $app }: { $command }; lo retirado vuelve solo, sin cambios
contest = pregunte a { $names }: cualquiera de ellos puede anularlo; o escríbales: { $command }
unread-format = { $document } está escrito en el formato { $detail }, que esta versión de Forewarn no conoce. No se retira nada por ello; actualice Forewarn.
unread-text = { $document } no se puede leer. No se retira nada por ello: { $detail }
unread-folder = Esta versión de Forewarn no sabe para qué sirve { $document }. No se retira nada por ello.
or = { $first } o { $last }
and = { $first }, { $last }
connected = conectado
not-connected = sin conexión; las normas que ya están aquí siguen valiendo
confirmed = confirmado { $moment }
never-confirmed = nunca confirmado
heard = última señal { $moment }
packages = { $count ->
    [one] { $count } paquete
   *[other] { $count } paquetes
}, { $state }; la lista se queda en este dispositivo
complete = completo
partial = incompleto: { $gaps }
nothing-of = nada
nothing-of-list = de { $sources }
unknown = si { $app } está instalado; de ello no se sigue nada
reported = solo esto: forewarn status --json lo muestra palabra por palabra
weakened-clock = la hora viene de un archivo
weakened-terminals = de sus terminales, solo los configurados muestran avisos
weakened-root = se listan los paquetes de otro sistema
weakened-notices = los avisos solo llegan de una manera
weakened-notice = puede haber menos de 24 horas entre el primer aviso y la retirada del correo
weakened-staleness = el correo puede retirarse sin que el servidor lo haya confirmado en más de 24 horas
weakened-offline = sin servidor, el correo puede retirarse antes de 14 días
isolation-partial = lo que trabaja en su carpeta está aislado solo hasta donde este núcleo puede (Landlock)
isolation-none = lo que trabaja en su carpeta tiene los derechos de su dueño y no otros menores: aquí no hay Landlock

## Answers to `forewarn log`
log-nothing = Todavía no se ha decidido nada sobre usted.
log-shown = se mostró un aviso { $medium }
log-not-shown = no se pudo mostrar un aviso: { $obstacle }
log-deadline = el plazo es { $moment }
log-acknowledged = dijo que lo ha leído
log-snoozed = ningún recordatorio hasta { $moment }
log-app-gone = la aplicación ya no está; no se le pide nada más
log-policy-gone = ninguna norma la prohíbe ya; no se le pide nada
log-mail-taken = la cuenta de correo se guardó en la caja fuerte
log-mail-back = la cuenta de correo ha vuelto
log-vault-given = root entregó lo guardado aquí a la cuenta { $account }

## How far it has come
stage-found = encontrado, sin avisar todavía
stage-informed = avisado; no se le puede retirar nada
stage-warned = avisado, plazo en curso
stage-held = plazo vencido, en espera
stage-revoking = retirándose
stage-revoked = retirado
stage-restoring = volviendo

## What holds it
hold-only-warns = esta norma solo avisa; no se retirará nada
hold-not-certain = lo encontrado puede ser otra aplicación, así que no se retirará nada por ello
hold-not-shown = todavía no se le ha mostrado ningún aviso, así que no corre ningún plazo
hold-deadline-ahead = el plazo no ha vencido
hold-last-call = al menos 15 minutos antes llega un último aviso
hold-policy-stale = el servidor no ha confirmado la norma recientemente
hold-scan-not-fresh = no se han podido listar ahora todos los paquetes
hold-no-company-mail = no tiene ninguna cuenta de correo de la empresa en este dispositivo

## Why it is not known
doubt-no-source = nada en este tipo de dispositivo lista tales paquetes
doubt-not-listed = { $source } no se ha listado todavía
doubt-partial = una parte de { $source } no se ha podido leer
doubt-no-version = { $source } no dice qué versión está instalada

## What keeps a notice from a person
obstacle-no-session = no había iniciado sesión donde se pueda mostrar un aviso
obstacle-no-service = su escritorio no muestra notificaciones
obstacle-locked = su pantalla estaba bloqueada
obstacle-away = no estaba ante el dispositivo
obstacle-do-not-disturb = pidió que no se le molestara
obstacle-busy = una reunión, u otra cosa, ocupaba la pantalla
obstacle-vanished = desapareció antes de que pudiera leerlo

## The page that `forewarn status --open` writes
page-title = Lo que su empresa pide a este dispositivo
page-made = Hecho { $moment }. Esta página muestra ese momento y no cambia.
page-timeline = Cronología de { $app }
page-now = ahora
page-found = encontrado
page-shown = primer aviso
page-last-shown = aviso más reciente
page-reminder = recordatorio
page-last-call = último aviso
page-deadline = plazo
page-report = Lo que se ha comunicado sobre usted
page-report-intro = Este es, palabra por palabra, el último informe de este dispositivo, sin las partes de otras personas. No contiene ninguna lista de sus aplicaciones.
page-no-report = Todavía no se ha comunicado nada.
page-device = Este dispositivo
