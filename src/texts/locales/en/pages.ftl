page-languages = Language
page-code = Code
page-password = Password
page-password-repeat = The same password once more
page-password-hint = Choose a long password, for example several words that have nothing to do with each other.

page-leave-title = Leave the partnership
page-leave-body =
    Do you want to leave the local prevention partnership "{ $partnership }"?
    You will then receive none of its messages, not even urgent ones.
page-leave-button = Yes, I leave the partnership

page-left-title = You have left the partnership
page-left-body =
    You are no longer a member of the local prevention partnership "{ $partnership }".
    Thank you for taking part.

page-unsubscribe-title = Stop receiving e-mails
page-unsubscribe-body =
    Do you want to stop receiving e-mails from the local prevention partnership "{ $partnership }"?
    You stay a member, and nothing changes for text messages.
page-unsubscribe-button = Yes, stop the e-mails

page-unsubscribed-title = That is done
page-unsubscribed-body =
    You will receive no more e-mails from the local prevention partnership "{ $partnership }".
    You are still a member.

page-confirm_contact-title = Confirm your contact details
page-confirm_contact-body =
    Enter the code you received from the local prevention partnership "{ $partnership }".
page-confirm_contact-button = Confirm

page-contact_confirmed-title = Thank you, that is confirmed
page-contact_confirmed-body =
    Your contact details are confirmed with the local prevention partnership "{ $partnership }".
    You can close this page.

page-accept_invitation-title = Accept the invitation
page-accept_invitation-body =
    Dear { $name },
    { $inviter } invites you. Your role: { $role }.
    Choose a password to accept.
page-accept_invitation-button = Accept

page-invitation_accepted-title = Your account is ready
page-invitation_accepted-body =
    You can now sign in with your e-mail address and your password.

page-reset_password-title = Choose a new password
page-reset_password-body =
    Dear { $name },
    choose a new password for your account. You then have to sign in again everywhere.
page-reset_password-button = Save

page-password_reset-title = Your new password is in force
page-password_reset-body =
    You can now sign in with your e-mail address and your new password.

page-verify-title = Checking a message
page-verify-genuine =
    This message is genuine.
    Partnership: { $partnership }. Police: { $zone }. Sent: { $sent_at }.
page-verify-exercise =
    This is an EXERCISE. No action is needed.
    Partnership: { $partnership }. Police: { $zone }. Sent: { $sent_at }.
page-verify-stopped =
    This message was stopped. Please disregard it.
    Partnership: { $partnership }. Police: { $zone }. Sent: { $sent_at }.
page-verify-corrected =
    This message was corrected. Follow the correction you received.
    Partnership: { $partnership }. Police: { $zone }. Sent: { $sent_at }.
page-verify-unknown =
    We do not know this message. It may not come from the police.
    Do not open its links and do not give any information. If in doubt, call your local police.

page-my_data-title = Your data
page-my_data-body = This is all the data we keep about you.
page-my_data-memberships = Your partnerships
page-my_data-none = None

data-name = Name
data-language = Language
data-email = E-mail
data-mobile = Mobile phone
data-landline = Telephone
data-address = Address
data-point = Place on the map
data-basis = Link with the neighbourhood
data-adult = Declared to be an adult on
data-rules = Internal rules accepted (version)
data-channel = Preferred channel
data-night = Text messages at night
data-exercises = Takes part in exercises
data-email_stopped = E-mails stopped
data-sms_stopped = Text messages stopped
data-applied = Asked to join on
data-joined = Member since
data-ended = Ended on
data-yes = Yes
data-no = No

language-fr = French
language-nl = Dutch
language-de = German
language-en = English
basis-lives = lives there
basis-works = works there
basis-both = lives and works there
channel-email = e-mail
channel-sms = text message
status-requested = request received
status-contact_unverified = contact details to be confirmed
status-pending_approval = waiting for the coordinator
status-active = member
status-paused = paused
status-review_due = member, to be reviewed this year
status-unreachable = member, cannot be reached
status-suspended_provisional = suspended
status-refused = request refused
status-left = no longer a member
status-excluded = excluded
status-anonymised = data erased
