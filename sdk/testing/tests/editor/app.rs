//! An editor as a vendor would write it: it works while it has a seat, saves in time, and only reads where it has none.
//! It is given its client, so that a test can give it one of a daemon in memory; nothing else in it knows of tests.

use seatkeeper::{Client, Error, EventKind, LostReason, Seat, State};

/// What the user may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// Everything that the license allows.
    Edit,
    /// Nothing is changed; the words say why, and what to do.
    ReadOnly(String),
}

/// The application.
pub(crate) struct Editor {
    client: Client,
    seat: Option<Seat>,
    mode: Mode,
    banner: Option<String>,
    dirty: bool,
    saved: usize,
}

impl Editor {
    /// Starts it. Without a seat it shows documents, and says why.
    pub(crate) fn start(client: Client) -> Editor {
        let mut editor = Editor {
            client,
            seat: None,
            mode: Mode::ReadOnly(String::new()),
            banner: None,
            dirty: false,
            saved: 0,
        };
        editor.unlock(false);
        editor
    }

    /// The user presses "try again".
    pub(crate) fn try_again(&mut self) {
        if self.mode != Mode::Edit {
            self.unlock(true);
        }
    }

    fn unlock(&mut self, by_user: bool) {
        let checkout = self.client.checkout("modeler");
        let checkout = if by_user {
            checkout.asked_by_user()
        } else {
            checkout
        };
        match checkout.acquire() {
            Ok(seat) => (self.seat, self.mode) = (Some(seat), Mode::Edit),
            Err(error) => self.mode = Mode::ReadOnly(words(&error)),
        }
    }

    /// One turn of the application's loop: what happened to the seat since the last one.
    pub(crate) fn turn(&mut self) {
        while let Some(event) = self.client.poll_event() {
            self.banner = match event.kind {
                EventKind::Grace(until) => {
                    let minutes = until.remaining().as_secs().div_ceil(60);
                    Some(format!(
                        "The license service is away. You can work for {minutes} min."
                    ))
                }
                EventKind::Ending(until, reason) => {
                    let minutes = until.remaining().as_secs() / 60;
                    Some(format!("Your seat ends in {minutes} min: {reason}."))
                }
                _ => None,
            };
        }
        // Events say when to look; what counts is the state.
        match self.seat.as_ref().map(Seat::state) {
            Some(State::Held | State::Grace { .. }) => self.mode = Mode::Edit,
            Some(State::Ending { .. }) => self.save(),
            Some(State::Lost { reason }) => {
                self.save();
                self.mode = Mode::ReadOnly(format!("The seat is lost: {reason}."));
                if !comes_back(&reason) {
                    self.seat = None;
                }
            }
            None => {}
        }
    }

    /// The user types.
    pub(crate) fn edit(&mut self) {
        self.dirty |= self.mode == Mode::Edit;
    }

    fn save(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.saved += 1;
        }
    }

    pub(crate) fn may_export(&self) -> bool {
        let seat = self.seat.as_ref();
        self.mode == Mode::Edit && seat.is_some_and(|seat| seat.allows("export-pdf"))
    }

    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    pub(crate) fn banner(&self) -> &str {
        self.banner.as_deref().unwrap_or_default()
    }

    /// Documents that were saved without being asked for.
    pub(crate) fn saved(&self) -> usize {
        self.saved
    }
}

/// The SDK looks for a seat again by itself.
fn comes_back(reason: &LostReason) -> bool {
    matches!(
        reason,
        LostReason::Lapsed | LostReason::LicenseEnded | LostReason::Superseded
    )
}

fn words(error: &Error) -> String {
    let again = if error.is_retryable() {
        "You can try again."
    } else {
        "Somebody has to act first."
    };
    format!("No seat: {error}. {}. {again}", error.hint())
}
