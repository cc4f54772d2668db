# ما يقوله Forewarn للناس. صيغ الأعداد هنا بعد «بعد» و«قبل».

## Notices
changed = تغيير: { $title }
last-call = الإنذار الأخير: { $title }
revoked = أُزيل بريد الشركة ({ $takes }) من هذا الجهاز
waiting = سيُزال بريد الشركة ({ $takes }) عندما تغلق برنامج البريد
set-up-again = أُعيد إعداد بريد الشركة ({ $takes }) على هذا الجهاز
restored = عاد بريد الشركة ({ $takes })
correction = تصحيح: أُرسل «{ $title }» بالخطأ
will-take = إذا كان { $app } لا يزال مثبتًا في { $deadline }، يُنقل حساب بريد { $takes } إلى خزنة على هذا الجهاز. لا تُمس الحسابات الخاصة. أزل { $app } فلا يؤخذ شيء، وما أُخذ يعود دون تغيير.
will-take-and-close = إذا كان { $app } لا يزال مثبتًا في { $deadline }، يُنقل حساب بريد { $takes } إلى خزنة على هذا الجهاز، وتبقى رسائله المخزنة مغلقة حتى يعود. لا تُمس الحسابات الخاصة. أزل { $app } فلا يؤخذ شيء، وما أُخذ يعود دون تغيير.
time-is-over = انتهت مهلة إزالة { $app }: يُنقل حساب بريد { $takes } إلى خزنة على هذا الجهاز في أي لحظة، أو نُقل إليها. لا تُمس الحسابات الخاصة. أزل { $app } فيبقى الحساب، أو يعود فورًا دون تغيير.
only-warns = { $app } مثبت. لن يؤخذ شيء.
revoked-body = { $app } لا يزال مثبتًا. أزله فيعود الحساب فورًا دون تغيير.
waiting-body = احفظ مسوداتك وأغلق البرنامج بنفسك؛ لن يُغلق نيابة عنك.
set-up-again-body = أُخذ لأن { $app } مثبت، وهو لا يزال كذلك. إذا بقي كذلك في { $deadline } أيضًا، يُنقل هذا الحساب إلى الخزنة كذلك.
restored-body = لم يُفقد شيء. افتح برنامج البريد كالمعتاد.
correction-body = كان هذا خطأ. لا يلزمك فعل شيء.
ask-why = لماذا، ومن تسأل؟ نفّذ: { $command }
digest = { $count ->
    [two] رسالتان بشأن هذا الجهاز
    [few] { $count } رسائل بشأن هذا الجهاز
   *[other] { $count } رسالة بشأن هذا الجهاز
}
button-read = قرأته
button-remove = أزله عني
button-why = لماذا؟
button-later = ذكّرني { $length }
remove-asks = هل تريد إزالة { $app } من هذا الجهاز؟ [y/N]
removing = جارٍ إزالة { $app } …
removed = أُزيل { $app }
not-removed = تعذرت إزالة { $app }
removed-body = لا يُطلب منك شيء آخر بشأنه.

## Moments and lengths of time
weekday = { $day ->
    [1] الاثنين
    [2] الثلاثاء
    [3] الأربعاء
    [4] الخميس
    [5] الجمعة
    [6] السبت
   *[7] الأحد
}
month = { $month ->
    [1] يناير
    [2] فبراير
    [3] مارس
    [4] أبريل
    [5] مايو
    [6] يونيو
    [7] يوليو
    [8] أغسطس
    [9] سبتمبر
    [10] أكتوبر
    [11] نوفمبر
   *[12] ديسمبر
}
moment = ‏{ $weekday } { $day } { $month } { $year }، { $time } { $zone }
minutes = { $count ->
    [one] دقيقة واحدة
    [two] دقيقتين
    [few] { $count } دقائق
   *[other] { $count } دقيقة
}
hours = { $count ->
    [one] ساعة واحدة
    [two] ساعتين
    [few] { $count } ساعات
   *[other] { $count } ساعة
}
days = { $count ->
    [one] يوم واحد
    [two] يومين
    [few] { $count } أيام
    [many] { $count } يومًا
   *[other] { $count } يوم
}
length = { $larger } و{ $smaller }
in = بعد { $length }
ago = قبل { $length }

## Answers to `forewarn status` and `forewarn why`
nothing-asked = لا يُطلب منك شيء.
nothing-now = { $app } محظور بموجب { $policy }، ولا يُطلب منك شيء الآن.
spared = { $app } محظور بموجب { $policy }، لكن هذا الجهاز معفى حتى { $moment }. قرر ذلك { $names }.
rollout-then = { $app } محظور بموجب { $policy }، لكن ليس على هذا الجهاز حتى { $moment }. لا يُطلب منك شيء حتى ذلك الحين، وسيتم إخطارك.
rollout-never = { $app } محظور بموجب { $policy }، لكن ليس على هذا الجهاز. لا يُطلب منك شيء.
appealed = أُرسل إلى المسؤولين. تبقى المهلة كما هي ما لم يقرروا غير ذلك.
in-vault = حساب بريد { $domain } في الخزنة على هذا الجهاز.
label-rule = القاعدة
label-signed = وقّعه
label-matched = المطابق
label-found = وُجد
label-told = أُبلغت
label-read = قُرئ
label-snoozed = مؤجل
label-deadline = المهلة
label-takes = يأخذ
label-stays = يبقى
label-now = الآن
label-undo = التراجع
label-contest = الاعتراض
label-contact = جهة الاتصال
label-more = المزيد
label-mail = البريد
label-server = الخادم
label-policies = السياسات
label-refused = مرفوض
label-unread = غير مقروء
label-worker = المساعد
label-unknown = مجهول
label-weakened = إعدادات مُضعِفة
label-reported = المُبلَّغ
rule = { $rule } من السياسة { $policy }، الإصدار { $version }
matched-certain = { $package } يذكره { $pattern }، مدرج لدى { $source } في { $file }
matched-uncertain = { $package } يذكره { $pattern } الذي يُنذر فقط، مدرج لدى { $source } في { $file }
matched-name = { $package } يحمل هذا الاسم، وهذا يُنذر فقط، مدرج لدى { $source } في { $file }
told = { $moment }، { $medium }
not-told = ليس بعد
medium-desktop = على سطح مكتبك
medium-terminal = على طرفيتك
medium-login = عند تسجيل دخولك
deadline = { $moment } ({ $distance })
snoozed = حتى { $moment }؛ ويأتي الإنذار الأخير على كل حال
takes = حساب بريد { $domain }
takes-and-closes = حساب بريد { $domain }، مع إغلاق رسائله المخزنة حتى يعود
takes-nothing = لا شيء
stays = كل الرسائل والمسودات والحسابات الخاصة وكل ما عداها على هذا الجهاز
waiting-for = في انتظار إغلاق { $programs }
undo = أزل { $app }: { $command }؛ وما أُخذ يعود تلقائيًا دون تغيير
contest = اسأل { $names }: يمكن لأي منهم سحبه؛ أو اكتب إليهم: { $command }
unread-format = كُتب { $document } بالصيغة { $detail } التي لا يعرفها هذا الإصدار من Forewarn. لن يُسحب شيء بسببه؛ حدّث Forewarn.
unread-text = تتعذر قراءة { $document }. لن يُسحب شيء بسببه: { $detail }
unread-folder = لا يعرف هذا الإصدار من Forewarn الغرض من { $document }. لن يُسحب شيء بسببه.
or = { $first } أو { $last }
and = { $first }، { $last }
connected = متصل
not-connected = غير متاح؛ السياسات الموجودة هنا ما زالت سارية
confirmed = أُكّدت { $moment }
never-confirmed = لم تُؤكد قط
heard = آخر إشارة { $moment }
packages = { $count ->
    [one] حزمة واحدة
    [two] حزمتان
    [few] { $count } حزم
   *[other] { $count } حزمة
}، { $state }؛ تبقى القائمة على هذا الجهاز
complete = كاملة
partial = ناقصة: { $gaps }
nothing-of = لا شيء
nothing-of-list = من { $sources }
unknown = هل { $app } مثبت؛ ولا يترتب على ذلك شيء
reported = هذا فقط: ‏forewarn status --json يعرضه حرفيًا
weakened-clock = الوقت من ملف
weakened-terminals = من بين طرفياتك، لا تظهر الإشعارات إلا على الطرفيات المحددة
weakened-root = تُسرد حزم نظام آخر
weakened-notices = تظهر الإشعارات بطريقة واحدة فقط
weakened-notice = قد تكون المدة بين أول إشعار وسحب البريد أقل من 24 ساعة
weakened-staleness = قد يُسحب البريد دون تأكيد من الخادم منذ أكثر من 24 ساعة
weakened-offline = دون خادم، قد يُسحب البريد قبل مرور 14 يومًا
isolation-partial = ما يعمل في مجلدك معزول بقدر ما تسمح به هذه النواة فقط (Landlock)
isolation-none = ما يعمل في مجلدك له حقوق صاحبه ولا أضيق منها: لا يوجد Landlock هنا

## Answers to `forewarn log`
log-nothing = لم يُقرَّر شيء بشأنك بعد.
log-shown = عُرض إشعار { $medium }
log-not-shown = تعذر عرض إشعار: { $obstacle }
log-deadline = المهلة هي { $moment }
log-acknowledged = قلت إنك قرأته
log-snoozed = لا تذكير حتى { $moment }
log-app-gone = لم يعد التطبيق موجودًا؛ لا يُطلب منك شيء آخر
log-policy-gone = لم تعد أي سياسة تحظره؛ لا يُطلب منك شيء
log-mail-taken = نُقل حساب البريد إلى الخزنة
log-mail-back = عاد حساب البريد
log-vault-given = سلّم root ما هو محفوظ هنا إلى الحساب { $account }

## How far it has come
stage-found = وُجد، ولم تُبلَّغ بعد
stage-informed = أُبلغت؛ ولا يمكن أخذ شيء منك
stage-warned = أُبلغت، والمهلة قائمة
stage-held = انقضت المهلة، معلّق
stage-revoking = جارٍ الأخذ
stage-revoked = أُخذ
stage-restoring = جارٍ الإعادة

## What holds it
hold-only-warns = هذه السياسة تُنذر فقط؛ لن يؤخذ شيء
hold-not-certain = قد يكون ما وُجد تطبيقًا آخر، فلن يؤخذ شيء بسببه
hold-not-shown = لم يُعرض عليك إشعار بعد، فلا مهلة جارية
hold-deadline-ahead = لم تنقضِ المهلة بعد
hold-last-call = يأتي إنذار أخير قبلها بخمس عشرة دقيقة على الأقل
hold-policy-stale = لم يؤكد الخادم السياسة حديثًا
hold-scan-not-fresh = تعذر سرد الحزم كاملة الآن
hold-no-company-mail = ليس لك حساب بريد للشركة على هذا الجهاز

## Why it is not known
doubt-no-source = لا شيء على هذا النوع من الأجهزة يسرد مثل هذه الحزم
doubt-not-listed = لم يُسرد { $source } بعد
doubt-partial = تعذرت قراءة جزء من { $source }
doubt-no-version = لا يذكر { $source } الإصدار المثبَّت

## What keeps a notice from a person
obstacle-no-session = لم تكن مسجلًا حيث يمكن عرض إشعار
obstacle-no-service = سطح مكتبك لا يعرض إشعارات
obstacle-locked = كانت شاشتك مقفلة
obstacle-away = لم تكن عند جهازك
obstacle-do-not-disturb = طلبت عدم الإزعاج
obstacle-busy = كان اجتماع أو شيء آخر يشغل الشاشة
obstacle-vanished = اختفى قبل أن تتمكن من قراءته

## The page that `forewarn status --open` writes
page-title = ما تطلبه شركتك من هذا الجهاز
page-made = أُعدّت { $moment }. تعرض تلك اللحظة ولا تتغير.
page-timeline = الخط الزمني لـ { $app }
page-now = الآن
page-found = وُجد
page-shown = أول إشعار
page-last-shown = أحدث إشعار
page-reminder = تذكير
page-last-call = الإنذار الأخير
page-deadline = المهلة
page-report = ما أُبلغ عنك
page-report-intro = هذا، حرفيًا، آخر تقرير لهذا الجهاز دون أجزاء الآخرين. لا توجد فيه قائمة بتطبيقاتك.
page-no-report = لم يُبلَّغ عن شيء بعد.
page-device = هذا الجهاز
