# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer.
sms-contact_code = { $partnership }: your code is { $code }. Do not give it to anyone else.
sms-waiting_for_officer = { $partnership }: a message is waiting for your approval (ref. { $code }).
sms-stop = { $partnership }: no more text messages. E-mails go on, you stay a member. To undo: START to the same number. Emergency: 101 or 112.
sms-stop_last = { $partnership }: no more text messages. Without a working e-mail address nothing reaches you. You stay a member. To undo: START to the same number.
sms-stop_outside = { $partnership }: no more text messages to this number. Emergency: 101 or 112.
sms-start = { $partnership }: you receive text messages again. To end them: STOP. Emergency: 101 or 112.
sms-help = { $partnership }: messages of your PLP and the local police. Nobody reads answers. No more text messages: STOP. Emergency: 101 or 112.
sms-nobody_reads = { $partnership }: nobody reads this text. Emergency: call 101 (police) or 112. No more text messages: STOP.
sms-nothing_leaves = { $partnership }: urgent message { $code } is not leaving. Use another way if it matters now, and tell whoever runs Vigie.
sms-exercise = EXERCISE (no action needed)
