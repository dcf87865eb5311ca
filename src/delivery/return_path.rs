//! The address to which a mail comes back (VERP): it names the attempt, so that no text of a bounce has to be believed, and
//! what comes back late of a first attempt is not held against the second.

use super::links::AttemptName;
use crate::config::Config;
use crate::storage::Keyring;
use crate::storage::same_bytes;
use crate::values::hex;

/// Bytes of the code: 80 bits cannot be guessed over the wire.
const CODE_BYTES: usize = 10;

fn code(keys: &Keyring, attempt: AttemptName) -> String {
    let mac = keys.sign("return-path", &[&attempt.delivery.to_be_bytes(), &attempt.number.to_be_bytes()]);
    hex(mac.iter().take(CODE_BYTES))
}

/// The envelope sender of one mail, such as `bounces+17.1-0a1b…@plp.example`; none where no address for bounces is set.
///
/// At most 64 characters before the `@`, as the settings hold what stands before the `+` to 19, and nobody tries a thousand
/// times: attempts beyond share a number.
#[must_use]
pub fn return_path(config: &Config, keys: &Keyring, delivery: i64, attempt: i32) -> Option<String> {
    let (user, domain) = config.email.bounce_address.split_once('@')?;
    let attempt = AttemptName::of(delivery, attempt);
    Some(format!("{user}+{delivery}.{}-{}@{domain}", attempt.number, code(keys, attempt)))
}

/// Which attempt an address of ours is about. The code in it decides, and not the rest: a mail server may have rewritten
/// the domain, and the setting may have changed since.
#[must_use]
pub fn attempt_of(keys: &Keyring, address: &str) -> Option<AttemptName> {
    let (user, _) = address.trim().trim_start_matches('<').split_once('@')?;
    let (name, given) = user.rsplit_once('+')?.1.split_once('-')?;
    let (delivery, number) = name.split_once('.')?;
    // One spelling only: "+7", "007" and "7" would be three addresses of one delivery.
    let attempt = AttemptName::of(delivery.parse().ok()?, number.parse().ok()?);
    let is_ours = name == format!("{}.{}", attempt.delivery, attempt.number);
    (is_ours && same_bytes(given.to_ascii_lowercase().as_bytes(), code(keys, attempt).as_bytes())).then_some(attempt)
}

#[cfg(test)]
mod tests {
    use super::{AttemptName, attempt_of, return_path};
    use crate::config::Config;
    use crate::storage::Keyring;

    fn keys() -> Keyring {
        Keyring::parse(&Keyring::fresh_file()).unwrap()
    }
    fn config(bounce_address: &str) -> Config {
        let mut config = Config::defaults().unwrap();
        config.email.bounce_address = bounce_address.to_owned();
        config
    }

    #[test]
    fn the_address_names_the_delivery_and_nobody_else_can_make_one() {
        let (keys, config) = (keys(), config("bounces@plp.example"));
        for (delivery, number) in [(0, 1), (1, 2), (1_234_567, 17), (i64::MAX, i32::MAX)] {
            let address = return_path(&config, &keys, delivery, number).unwrap();
            let named = Some(AttemptName::of(delivery, number));
            assert_eq!(attempt_of(&keys, &address), named, "{address}");
            assert_eq!(attempt_of(&keys, &address.to_uppercase()), named, "mail servers change the case");
            assert_eq!(attempt_of(&keys, &address.replace("plp.example", "mx.example")), named);
            assert_eq!(attempt_of(&keys, &format!("<{address}>")), named);
            assert_eq!(attempt_of(&self::keys(), &address), None, "another installation");
            vigie_address(&address);
        }
    }
    fn vigie_address(address: &str) {
        assert!(crate::values::EmailAddress::parse(address).is_ok(), "{address}");
        assert!(address.split_once('@').unwrap().0.len() <= 64, "{address}");
    }
    #[test]
    fn the_longest_setting_still_fits_an_envelope() {
        let user = "b".repeat(Config::BOUNCE_USER_MAX);
        vigie_address(&return_path(&config(&format!("{user}@plp.example")), &keys(), i64::MAX, i32::MAX).unwrap());
    }
    #[test]
    fn a_changed_number_or_code_leads_nowhere() {
        let (keys, config) = (keys(), config("bounces@plp.example"));
        let address = return_path(&config, &keys, 17, 2).unwrap();
        let code = address.split_once('-').unwrap().1.split_once('@').unwrap().0.to_owned();
        for forged in [
            format!("bounces+18.2-{code}@plp.example"),
            format!("bounces+017.2-{code}@plp.example"),
            format!("bounces++17.2-{code}@plp.example").replace("++", "+%2B"),
            format!("bounces+17.2-{}@plp.example", &code[..19]),
            format!("bounces+17.2-{code}0@plp.example"),
            format!("bounces+17.2-{}@plp.example", "0".repeat(20)),
            format!("bounces+-17.2-{code}@plp.example"),
            format!("bounces17.2-{code}@plp.example"),
            format!("bounces+17.2{code}@plp.example"),
            format!("bounces+17.2-{code}"),
            format!("bounces+17.1-{code}@plp.example"),
            format!("bounces+17.02-{code}@plp.example"),
            format!("bounces+17-{code}@plp.example"),
            "bounces@plp.example".to_owned(),
            "bounces+é-é@plp.example".to_owned(),
            "+-@".to_owned(),
            String::new(),
        ] {
            assert_eq!(attempt_of(&keys, &forged), None, "{forged}");
        }
    }
    #[test]
    fn without_a_setting_there_is_no_address() {
        assert_eq!(return_path(&config(""), &keys(), 1, 1), None);
    }
}
