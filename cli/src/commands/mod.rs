//! What each command does; one file per noun.

mod audit;
mod child;
mod clock;
mod codes;
mod config;
mod dev;
mod doctor;
mod events;
mod gone;
mod group;
mod help;
mod holding;
mod license;
mod mail;
mod registration;
mod role;
mod run;
mod seat;
mod session;
mod sign_in;
mod signals;
mod site;
mod status;
mod terms;
mod token;
mod unit;
mod user;
mod vendor;
mod why;

use crate::args::{Cli, Command};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::printer::Printer;

/// Does what was typed.
pub(crate) fn run(cli: &Cli, printer: &Printer) -> Outcome<Exit> {
    let socket = cli.socket.clone().or_else(|| dev::socket(&cli.command));
    let daemon = Daemon::new(socket.as_deref(), printer);
    match &cli.command {
        Command::Status => status::run(&daemon, printer).map(done),
        Command::Doctor => doctor::run(&daemon, cli.socket.as_deref(), printer),
        Command::Seat(command) => seat::run(&daemon, command, printer),
        Command::Run(args) => Ok(run::run(&daemon, args, printer)),
        Command::Why(args) => why::run(&daemon, args, printer),
        Command::License(command) => license::run(&daemon, command, printer),
        Command::User(command) => user::run(&daemon, command, printer),
        Command::Role(command) => role::run(&daemon, command, printer).map(done),
        Command::Group(command) => group::run(&daemon, command, printer).map(done),
        Command::Unit(command) => unit::run(&daemon, command, printer).map(done),
        Command::Account(command) => unit::account(&daemon, command, printer).map(done),
        Command::Terms(command) => terms::run(&daemon, command, printer).map(done),
        Command::Login(args) => sign_in::login(&daemon, args, printer).map(done),
        Command::Logout => sign_in::logout(&daemon, printer).map(done),
        Command::Whoami => sign_in::whoami(&daemon, printer).map(done),
        Command::Password => sign_in::password(&daemon, printer).map(done),
        Command::Address(args) => sign_in::address(&daemon, args, printer).map(done),
        Command::Forgot { login } => sign_in::forgot(&daemon, login, printer).map(done),
        Command::Session(command) => session::run(&daemon, command, printer).map(done),
        Command::Token(command) => token::run(&daemon, command, printer).map(done),
        Command::Register(args) => registration::register(&daemon, args, printer).map(done),
        Command::Registration(command) => registration::run(&daemon, command, printer).map(done),
        Command::Site(command) => site::run(&daemon, command, printer).map(done),
        Command::Clock(command) => clock::run(&daemon, command, printer).map(done),
        Command::Config(command) => config::run(&daemon, command, printer).map(done),
        Command::Mail(command) => mail::run(&daemon, command, printer),
        Command::Vendor(command) => vendor::run(&daemon, command, printer).map(done),
        Command::Audit(command) => audit::run(&daemon, command, printer),
        Command::Dev(command) => dev::run(&daemon, command, printer).map(done),
        Command::Events => events::run(&daemon, printer).map(done),
        Command::Help(args) => help::run(args, printer).map(done),
        Command::Child(args) => Ok(child::run(args, printer)),
    }
}

fn done((): ()) -> Exit {
    Exit::Done
}
