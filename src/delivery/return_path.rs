//! The address to which a mail comes back (VERP): it names the delivery, so that no text of a bounce has to be believed.

use crate::config::Config;
use crate::storage::Keyring;
use crate::storage::same_bytes;
use crate::values::hex;

/// Bytes of the code: 80 bits cannot be guessed over the wire.
const CODE_BYTES: usize = 10;

fn code(keys: &Keyring, delivery: i64) -> String {
    let mac = keys.sign("return-path", &[&delivery.to_be_bytes()]);
    hex(mac.iter().take(CODE_BYTES))
}

/// The envelope sender of one mail, such as `bounces+17-0a1b…@plp.example`; none where no address for bounces is set.
///
/// At most 64 characters before the `@`, as the settings hold what stands before the `+` to 23.
#[must_use]
pub fn return_path(config: &Config, keys: &Keyring, delivery: i64) -> Option<String> {
    let (user, domain) = config.email.bounce_address.split_once('@')?;
    Some(format!("{user}+{delivery}-{}@{domain}", code(keys, delivery)))
}

/// Which delivery an address of ours is about. The code in it decides, and not the rest: a mail server may have rewritten
/// the domain, and the setting may have changed since.
#[must_use]
pub fn delivery_of(keys: &Keyring, address: &str) -> Option<i64> {
    let (user, _) = address.trim().trim_start_matches('<').split_once('@')?;
    let (number, given) = user.rsplit_once('+')?.1.split_once('-')?;
    // One spelling only: "+7", "007" and "7" would be three addresses of one delivery.
    let delivery: i64 = number.parse().ok().filter(|delivery: &i64| delivery.to_string() == number)?;
    same_bytes(given.to_ascii_lowercase().as_bytes(), code(keys, delivery).as_bytes()).then_some(delivery)
}

#[cfg(test)]
mod tests {
    use super::{delivery_of, return_path};
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
        for delivery in [0, 1, 1_234_567, i64::MAX] {
            let address = return_path(&config, &keys, delivery).unwrap();
            assert_eq!(delivery_of(&keys, &address), Some(delivery), "{address}");
            assert_eq!(delivery_of(&keys, &address.to_uppercase()), Some(delivery), "mail servers change the case");
            assert_eq!(delivery_of(&keys, &address.replace("plp.example", "mx.example")), Some(delivery));
            assert_eq!(delivery_of(&keys, &format!("<{address}>")), Some(delivery));
            assert_eq!(delivery_of(&self::keys(), &address), None, "another installation");
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
        vigie_address(&return_path(&config(&format!("{user}@plp.example")), &keys(), i64::MAX).unwrap());
    }
    #[test]
    fn a_changed_number_or_code_leads_nowhere() {
        let (keys, config) = (keys(), config("bounces@plp.example"));
        let address = return_path(&config, &keys, 17).unwrap();
        let code = address.split_once('-').unwrap().1.split_once('@').unwrap().0.to_owned();
        for forged in [
            format!("bounces+18-{code}@plp.example"),
            format!("bounces+017-{code}@plp.example"),
            format!("bounces++17-{code}@plp.example").replace("++", "+%2B"),
            format!("bounces+17-{}@plp.example", &code[..19]),
            format!("bounces+17-{code}0@plp.example"),
            format!("bounces+17-{}@plp.example", "0".repeat(20)),
            format!("bounces+-17-{code}@plp.example"),
            format!("bounces17-{code}@plp.example"),
            format!("bounces+17{code}@plp.example"),
            format!("bounces+17-{code}"),
            "bounces@plp.example".to_owned(),
            "bounces+é-é@plp.example".to_owned(),
            "+-@".to_owned(),
            String::new(),
        ] {
            assert_eq!(delivery_of(&keys, &forged), None, "{forged}");
        }
    }
    #[test]
    fn without_a_setting_there_is_no_address() {
        assert_eq!(return_path(&config(""), &keys(), 1), None);
    }
}
