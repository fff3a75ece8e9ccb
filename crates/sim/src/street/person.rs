//! A person's device: plain HTTP from an address of its own, as a browser would click.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The Location field, if any.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// Opens a connection from `from` to `to`.
///
/// # Errors
/// The system's: refused, no answer in five seconds.
pub fn connect(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(to), socket2::Type::STREAM, None)?;
    let any = match to {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let from = if from.is_ipv4() == to.is_ipv4() { from } else { any };
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// Sends one request and reads the answer; the connection is closed after it.
///
/// # Errors
/// The system's, or that the answer is not HTTP.
pub fn ask(
    from: IpAddr,
    to: SocketAddr,
    method: &str,
    host: &str,
    path: &str,
    form: &str,
) -> io::Result<Answer> {
    let mut stream = connect(from, to)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) =
        text.split_once("\r\n\r\n").ok_or_else(|| io::Error::other(format!("no HTTP: {text}")))?;
    let status =
        head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| io::Error::other("no status"))?;
    let location = head.lines().find_map(|l| {
        let (name, value) = l.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    Ok(Answer { status, location, body: body.to_owned() })
}

/// The value of a form's hidden field.
#[must_use]
pub fn hidden(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    rest.split('"').next().map(str::to_owned)
}

/// Reads the portal's welcome page and gives the form that accepts its terms.
///
/// # Errors
/// That there is no such page.
pub fn form(from: IpAddr, portal: SocketAddr) -> io::Result<String> {
    let page = ask(from, portal, "GET", &portal.ip().to_string(), "/", "")?;
    let field =
        |name| hidden(&page.body, name).ok_or_else(|| io::Error::other(format!("no {name}: {}", page.body)));
    Ok(format!("token={}&terms={}&lang=id", field("token")?, field("terms")?))
}

/// Presses the button.
///
/// # Errors
/// That the portal did not let the device in.
pub fn accept(from: IpAddr, portal: SocketAddr, form: &str) -> io::Result<()> {
    let answer = ask(from, portal, "POST", &portal.ip().to_string(), "/accept", form)?;
    if answer.status == 303 { Ok(()) } else { Err(io::Error::other(format!("not let in: {answer:?}"))) }
}
