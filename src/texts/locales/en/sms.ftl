# Only letters of the basic GSM alphabet: a letter outside it makes the message dearer.
sms-contact_code = { $partnership }: your code is { $code }. Do not give it to anyone else.
sms-waiting_for_officer = { $partnership }: a message is waiting for your approval (ref. { $code }).
sms-nothing_leaves = { $partnership }: urgent message { $code } is not leaving. Use another way if it matters now, and tell whoever runs Vigie.
sms-stop = { $partnership }: you will receive no more text messages. Nothing else about your membership changes. Emergency: 101 or 112.
sms-exercise = EXERCISE (no action needed)
