//! What a script says of roles: what they are made of, who has them, and who may what where.

use crate::stage::Stage;
use crate::words::Words;
use seatkeeper_engine::Command;
use seatkeeper_engine::access::{By, Given, Permission, Reach, Standing};
use seatkeeper_engine::command::Access;
use seatkeeper_engine::ids::Name;

impl Stage {
    /// Plays a line about roles; false where it is none.
    pub(crate) fn access(&mut self, words: &Words) -> Result<bool, String> {
        let change = match words.at(0)? {
            "role" => Access::DefineRole {
                role: Name::from(words.at(1)?),
                permissions: permissions(words)?,
                reach: reach(words)?,
                if_match: None,
            },
            "remove-role" => Access::RemoveRole {
                role: Name::from(words.at(1)?),
                if_match: None,
            },
            "roles" => self.roles(words)?,
            "may" => return self.may(words).map(|()| true),
            "may-give" => return self.may_give(words).map(|()| true),
            _ => return Ok(false),
        };
        self.answer(Command::Access(change))?;
        Ok(true)
    }

    /// `roles ana administrator@home,auditor@boston`; none takes all.
    fn roles(&mut self, words: &Words) -> Result<Access, String> {
        let given = words.at(2).unwrap_or_default().split(',');
        let given = given.filter(|one| !one.is_empty()).map(|one| {
            let (role, unit) = one.split_once('@').ok_or("a role is ROLE@UNIT")?;
            let (role, unit) = (Name::from(role), self.unit(unit));
            Ok::<_, String>(Given { role, unit })
        });
        let roles = given.collect::<Result<_, _>>()?;
        Ok(Access::GiveRoles {
            user: self.user(words.at(1)?),
            roles,
            if_match: None,
        })
    }

    /// `may ana user.manage at boston`: asked of the state as it is.
    fn may(&mut self, words: &Words) -> Result<(), String> {
        let (who, permission, at) = (words.at(1)?, words.at(2)?, words.after("at")?);
        let permission: Permission = permission.parse().map_err(|e| format!("{e}"))?;
        let (standing, unit) = (self.standing(who)?, self.unit(at));
        let may = match standing.may(self.engine.state(), permission, unit) {
            None => "may not",
            Some(By::Own) => "may",
            Some(By::Managing(_)) => "may, acting for its account",
        };
        self.line(&format!("{who} {may}: {permission} at {at}"));
        Ok(())
    }

    /// `may-give ana auditor at boston`.
    fn may_give(&mut self, words: &Words) -> Result<(), String> {
        let (who, role, at) = (words.at(1)?, words.at(2)?, words.after("at")?);
        let (standing, unit) = (self.standing(who)?, self.unit(at));
        let state = self.engine.state();
        let known = state.role(role).ok_or("there is no such role")?;
        let may = match standing.may_give(state, &known, unit) {
            true => "may give",
            false => "may not give",
        };
        self.line(&format!("{who} {may} {role} at {at}"));
        Ok(())
    }

    /// `judged=now` by rights as they are, `judged=before` as they were before the last change of anyone's,
    /// `judged=above` as they were before the line above.
    pub(crate) fn judged_by(&self, words: &Words) -> Result<Option<u64>, String> {
        let now = self.engine.state().rights;
        match words.get("judged") {
            None => Ok(None),
            Some("now") => Ok(Some(now)),
            Some("before") => Ok(Some(now - 1)),
            Some("above") => Ok(Some(self.rights[1])),
            Some(other) => Err(format!("judged={other}")),
        }
    }

    fn standing(&mut self, who: &str) -> Result<Standing, String> {
        let user = self.user(who);
        let state = self.engine.state();
        let known = state.users.get(&user).ok_or("there is no such user")?;
        Ok(Standing::of(state, known, self.now().j))
    }
}

fn permissions(words: &Words) -> Result<Vec<Permission>, String> {
    let list = words.get("gives").unwrap_or_default().split(',');
    let named = list.filter(|one| !one.is_empty());
    named
        .map(|one| one.parse().map_err(|e| format!("{one}: {e}")))
        .collect()
}

fn reach(words: &Words) -> Result<Reach, String> {
    let text = words.get("reach").unwrap_or("below");
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|e| e.to_string())
}
