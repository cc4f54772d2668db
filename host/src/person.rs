//! Who somebody is. Numbers of accounts are given again, a person's name is not: it is drawn when they are met first.

use std::io;

use forewarn_proto::inventory::Person;

/// A new person's name.
///
/// # Errors
/// When the system gives no random numbers.
pub fn draw() -> io::Result<Person> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(Person::from_bits(u64::from_be_bytes(bytes)))
}

/// The person of an account, for a command that looks after nobody: the name is of this process alone, and stored nowhere.
pub fn of_user(number: u32) -> Person {
    Person::from_bits(number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_name_that_was_drawn_before() {
        let names: std::collections::BTreeSet<Person> = (0..1000).map(|_| draw().unwrap()).collect();
        assert_eq!(names.len(), 1000);
        assert_ne!(of_user(0), of_user(1));
    }
}
