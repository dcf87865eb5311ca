brand = PLP
brand-long = Partenariats locaux de prévention (PLP)
emergency = En cas d'urgence, appelez le 101 (police) ou le 112 (pompiers, ambulance).

role-coordinator = coordinateur
role-deputy = coordinateur adjoint
role-steering_group_member = membre du groupe de pilotage
role-mandated_officer = policier mandaté
role-zone_administrator = administrateur de la zone de police
role-municipality = commune
role-provincial_group = groupe de pilotage provincial
role-expertise_centre = Centre d'Expertise des PLP
role-federal_service = SPF Intérieur
role-member = membre

kind-start = Message de départ
kind-update = Mise à jour
kind-end = Fin d'alerte
kind-feedback = Retour d'information
kind-correction = Rectification
kind-prevention = Conseil de prévention
kind-meeting = Réunion
kind-admin = Information pratique
kind-survey = Enquête

class-urgent = Message urgent
class-non_urgent = Message non urgent

# Why a member is left out of those a message goes to.
reason-paused = en pause à sa demande
reason-quiet_hours = heures de repos
reason-night_choice = a choisi de ne pas recevoir de SMS la nuit
reason-duplicate = déjà inscrit
reason-household = un autre habitant du logement reçoit le SMS
reason-no_contact = aucune coordonnée utilisable
reason-unverified = coordonnées non confirmées
reason-not_chosen = n'a pas choisi ce canal
reason-language_missing = pas de texte dans sa langue
reason-suspended = suspendu
reason-suspended_endpoint = plus joignable par ce moyen : les envois ont échoué
reason-stopped = a demandé de ne plus recevoir ces messages

# Why a request to join is refused.
reason-not_adult = il faut être majeur (18 ans)
reason-outside_perimeter = l'adresse se trouve en dehors du périmètre
reason-no_link = aucun lien avec le quartier, ni par le domicile ni par le travail
reason-rules_not_acknowledged = le règlement d'ordre intérieur n'a pas été accepté
reason-unreachable = la personne n'a pas pu être jointe
reason-other_lawful = un autre motif prévu par la loi ou par le règlement

problem-title = Cela n'a pas fonctionné
problem-link_unknown = Ce lien n'est plus valable ou n'existe pas. Utilisez le dernier message que vous avez reçu.
problem-wrong_code = Le code n'est pas correct. Vérifiez-le et essayez encore une fois.
problem-passwords_differ = Les deux mots de passe ne sont pas identiques.
problem-password_weak = Ce mot de passe est trop facile à deviner. Choisissez-en un plus long.
problem-password_about_owner = Ce mot de passe contient votre nom ou votre adresse e-mail. Veuillez en choisir un autre.
problem-password_tried_first = Ce mot de passe est parmi les premiers que l'on essaierait. Choisissez plusieurs mots sans rapport entre eux.
problem-too_many = Il y a eu trop d'essais. Attendez un peu et essayez de nouveau.
problem-unavailable = Le service est momentanément indisponible. Essayez de nouveau dans quelques minutes.
