brand = PLP
brand-long = Local prevention partnerships (PLP)
emergency = In an emergency call 101 (police) or 112 (fire, ambulance).

role-coordinator = coordinator
role-deputy = deputy coordinator
role-steering_group_member = steering group member
role-mandated_officer = mandated police officer
role-zone_administrator = police zone administrator
role-municipality = municipality
role-provincial_group = provincial steering group
role-expertise_centre = PLP centre of expertise
role-federal_service = Federal Public Service Home Affairs
role-member = member

kind-start = First message
kind-update = Update
kind-end = End of alert
kind-feedback = Feedback
kind-correction = Correction
kind-prevention = Prevention advice
kind-meeting = Meeting
kind-admin = Practical information
kind-survey = Survey

class-urgent = Urgent message
class-non_urgent = Non-urgent message

# Why a member is left out of those a message goes to.
reason-paused = paused at the member's own request
reason-quiet_hours = quiet hours
reason-night_choice = chose not to receive text messages at night
reason-duplicate = already registered
reason-household = somebody else in the household receives the text message
reason-no_contact = no usable contact details
reason-unverified = contact details not confirmed
reason-not_chosen = did not choose this channel
reason-language_missing = no text in the member's language
reason-suspended = suspended
reason-suspended_endpoint = no longer reachable there: deliveries failed
reason-stopped = asked not to receive these messages any more

# Why a request to join is refused.
reason-not_adult = members must be adults (18 or over)
reason-outside_perimeter = the address is outside the area of the partnership
reason-no_link = no link with the neighbourhood, by home or by work
reason-rules_not_acknowledged = the internal rules were not accepted
reason-unreachable = the person could not be reached
reason-other_lawful = another reason provided for by law or by the rules

problem-title = That did not work
problem-link_unknown = This link is no longer valid or does not exist. Please use the latest message you received.
problem-wrong_code = The code is not correct. Please check it and try once more.
problem-passwords_differ = The two passwords are not the same.
problem-password_weak = This password is too easy to guess. Please choose a longer one.
problem-password_about_owner = This password contains your name or your e-mail address. Please choose another one.
problem-password_tried_first = This password is one of the first that would be tried. Please choose several words that have nothing to do with each other.
problem-too_many = There were too many attempts. Please wait a little and try again.
problem-unavailable = The service is unavailable for a moment. Please try again in a few minutes.
