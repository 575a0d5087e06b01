//! `seatkeeperd dev`: a whole site in a scratch folder, to see a seat taken, held and freed within a minute.

pub mod vendor;
