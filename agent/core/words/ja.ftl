# Forewarn が人に伝える言葉。

## Notices
changed = 変更：{ $title }
last-call = 最後のお知らせ：{ $title }
revoked = 会社のメール（{ $takes }）はこの端末から外されました
waiting = 会社のメール（{ $takes }）はメールソフトを閉じると外されます
set-up-again = 会社のメール（{ $takes }）がこの端末で再び設定されました
restored = 会社のメール（{ $takes }）が元に戻りました
correction = 訂正：「{ $title }」は誤って送信されました
will-take = { $deadline } の時点で { $app } がまだ入っている場合、{ $takes } のメールアカウントはこの端末の保管庫に移されます。個人のアカウントには触れません。{ $app } を削除すれば何も外されません。外されたものはそのままの形で戻ります。
will-take-and-close = { $deadline } の時点で { $app } がまだ入っている場合、{ $takes } のメールアカウントはこの端末の保管庫に移され、戻るまで保存済みのメールは開けなくなります。個人のアカウントには触れません。{ $app } を削除すれば何も外されません。外されたものはそのままの形で戻ります。
time-is-over = { $app } を削除する期限は過ぎました。{ $takes } のメールアカウントは、いつでもこの端末の保管庫に移されるか、すでに移されています。個人のアカウントには触れません。{ $app } を削除すれば、アカウントは残るか、すぐにそのままの形で戻ります。
only-warns = { $app } が入っています。何も外されません。
revoked-body = { $app } がまだ入っています。削除すると、アカウントはすぐにそのままの形で戻ります。
waiting-body = 下書きを保存し、ご自分で閉じてください。こちらで閉じることはありません。
set-up-again-body = { $app } が入っているため外されましたが、{ $app } はまだ入っています。{ $deadline } の時点でも入っている場合、このメールアカウントも保管庫に移されます。
restored-body = 失われたものはありません。いつもどおりメールソフトを開いてください。
correction-body = これは誤りでした。何もする必要はありません。
ask-why = 理由と問い合わせ先を見るには次を実行してください：{ $command }
digest = この端末についてのお知らせ { $count } 件
button-read = 読みました
button-remove = 代わりに削除する
button-why = なぜ？
button-later = { $length }に知らせる
remove-asks = { $app } をこの端末から削除しますか？ [y/N]
removing = { $app } を削除しています…
removed = { $app } を削除しました
not-removed = { $app } を削除できませんでした
removed-body = これについて、ほかに求められることはありません。

## Moments and lengths of time
weekday = { $day ->
    [1] 月曜日
    [2] 火曜日
    [3] 水曜日
    [4] 木曜日
    [5] 金曜日
    [6] 土曜日
   *[7] 日曜日
}
month = { $month }月
moment = { $year }年{ $month }{ $day }日{ $weekday } { $time } { $zone }
minutes = { $count }分
hours = { $count }時間
days = { $count }日
length = { $larger }{ $smaller }
in = { $length }後
ago = { $length }前

## Answers to `forewarn status` and `forewarn why`
nothing-asked = 求められていることはありません。
nothing-now = { $app } は { $policy } により禁止されていますが、今は何も求められていません。
spared = { $app } は { $policy } により禁止されていますが、この端末は { $moment } まで免除されています。決定者：{ $names }
rollout-then = { $app } は { $policy } により禁止されていますが、この端末には { $moment } まで適用されません。それまで対応は不要で、適用の際はお知らせします。
rollout-never = { $app } は { $policy } により禁止されていますが、この端末は対象外です。対応は不要です。
appealed = 管理者に送りました。管理者が別に決めない限り、期限は変わりません。
in-vault = { $domain } のメールアカウントはこの端末の保管庫にあります。
label-rule = 規則
label-signed = 署名者
label-matched = 該当
label-found = 発見
label-told = 通知
label-read = 確認
label-snoozed = 延期
label-deadline = 期限
label-takes = 外すもの
label-stays = 残るもの
label-now = 現在
label-undo = 戻し方
label-contest = 異議
label-contact = 連絡先
label-more = 詳細
label-mail = メール
label-server = サーバー
label-policies = ポリシー
label-refused = 拒否
label-unread = 未対応
label-worker = 作業
label-unknown = 不明
label-weakened = 弱められた設定
label-reported = 報告
rule = ポリシー { $policy } 第 { $version } 版の { $rule }
matched-certain = { $package }：{ $pattern } に該当、{ $source } の { $file } に記載
matched-uncertain = { $package }：{ $pattern } に該当（警告のみ）、{ $source } の { $file } に記載
matched-name = { $package }：同じ名前（警告のみ）、{ $source } の { $file } に記載
told = { $moment }、{ $medium }
not-told = まだ
medium-desktop = デスクトップで
medium-terminal = 端末画面で
medium-login = ログイン時に
deadline = { $moment }（{ $distance }）
snoozed = { $moment } まで。最後のお知らせはそれでも届きます
takes = { $domain } のメールアカウント
takes-and-closes = { $domain } のメールアカウント。戻るまで保存済みのメールは開けません
takes-nothing = なし
stays = すべてのメールと下書き、個人のアカウント、この端末のほかのすべて
waiting-for = { $programs } が閉じられるのを待っています
undo = { $app } を削除する：{ $command }。外されたものは自動的に、そのままの形で戻ります
contest = { $names } に尋ねてください。誰か一人で取り消せます。または管理者に書いてください：{ $command }
unread-format = { $document } は形式 { $detail } で書かれており、このバージョンの Forewarn では読めません。これによって取り上げられるものはありません。Forewarn を更新してください。
unread-text = { $document } を読めません。これによって取り上げられるものはありません：{ $detail }
unread-folder = このバージョンの Forewarn は { $document } の用途を知りません。これによって取り上げられるものはありません。
or = { $first } または { $last }
and = { $first }、{ $last }
connected = 接続中
not-connected = 接続できません。すでにあるポリシーは有効です
confirmed = { $moment } に確認
never-confirmed = 未確認
heard = 最後の応答 { $moment }
packages = パッケージ { $count } 個、{ $state }。一覧はこの端末から出ません
complete = 完全
partial = 一部のみ：{ $gaps }
nothing-of = なし
nothing-of-list = { $sources }
unknown = { $app } が入っているかどうか。そこからは何も起こりません
reported = これだけです。forewarn status --json で一語一句見られます
weakened-clock = 時刻はファイルから取られています
weakened-terminals = お使いの端末のうち、設定された端末だけにお知らせが表示されます
weakened-root = 別のシステムのパッケージが一覧されています
weakened-notices = お知らせの表示方法が一つに限られています
weakened-notice = 最初のお知らせからメールが取り上げられるまで24時間未満のことがあります
weakened-staleness = サーバーが24時間以上確認していなくても、メールが取り上げられることがあります
weakened-offline = サーバーに接続できないとき、14日より早くメールが取り上げられることがあります
isolation-partial = ホームで働くものは、このカーネルでできる範囲でのみ隔離されています（Landlock）
isolation-none = ホームで働くものは本人の権限を持ち、それより狭くはありません。Landlock がありません

## Answers to `forewarn log`
log-nothing = あなたについて決まったことはまだありません。
log-shown = 通知が表示されました（{ $medium }）
log-not-shown = 通知を表示できませんでした：{ $obstacle }
log-deadline = 期限は { $moment }
log-acknowledged = 読んだと答えました
log-snoozed = { $moment } まで再通知しません
log-app-gone = アプリはなくなりました。ほかに求められることはありません
log-policy-gone = 禁止するポリシーはなくなりました。求められることはありません
log-mail-taken = メールアカウントは保管庫に移されました
log-mail-back = メールアカウントが戻りました
log-vault-given = root がここに保管されているものをアカウント { $account } に渡しました

## How far it has come
stage-found = 発見、まだ通知していません
stage-informed = 通知済み。外されるものはありません
stage-warned = 通知済み、期限前
stage-held = 期限後、保留中
stage-revoking = 外しています
stage-revoked = 外されました
stage-restoring = 戻しています

## What holds it
hold-only-warns = このポリシーは警告だけです。何も外されません
hold-not-certain = 見つかったものは別のアプリかもしれないため、何も外されません
hold-not-shown = まだ通知が表示されていないため、期限は始まっていません
hold-deadline-ahead = 期限はまだ先です
hold-last-call = 少なくとも15分前に最後のお知らせがあります
hold-policy-stale = サーバーが最近ポリシーを確認していません
hold-scan-not-fresh = 今パッケージを完全に一覧できませんでした
hold-no-company-mail = この端末にあなたの会社のメールアカウントはありません

## Why it is not known
doubt-no-source = この種の端末には、そのようなパッケージを一覧するものがありません
doubt-not-listed = { $source } はまだ一覧されていません
doubt-partial = { $source } の一部を読めませんでした
doubt-no-version = { $source } にはインストールされているバージョンの記載がありません

## What keeps a notice from a person
obstacle-no-session = 通知を表示できる場所にログインしていませんでした
obstacle-no-service = デスクトップが通知を表示しません
obstacle-locked = 画面がロックされていました
obstacle-away = 席を外していました
obstacle-do-not-disturb = 通知を控える設定でした
obstacle-busy = 会議などが画面を使っていました
obstacle-vanished = 読む前に消えました

## The page that `forewarn status --open` writes
page-title = 会社がこの端末に求めていること
page-made = { $moment } に作成。この時点を示し、変わりません。
page-timeline = { $app } の時系列
page-now = 現在
page-found = 発見
page-shown = 最初の通知
page-last-shown = 最新の通知
page-reminder = 再通知
page-last-call = 最後のお知らせ
page-deadline = 期限
page-report = あなたについて報告されたこと
page-report-intro = これは、ほかの人の部分を除いた、この端末の最後の報告そのものです。アプリの一覧は含まれません。
page-no-report = まだ何も報告されていません。
page-device = この端末
