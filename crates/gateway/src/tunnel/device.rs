//! The tunnel's interface: a TUN device, which is there for as long as this program holds it.

use rustix::fs::{Mode, OFlags};
use rustix::ioctl::{Updater, ioctl, opcode};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::unix::AsyncFd;

const TUN: u16 = 0x0001;
/// Packets come without four bytes before them.
const PLAIN: u16 = 0x1000;
const SET_INTERFACE: rustix::ioctl::Opcode = opcode::write::<std::ffi::c_int>(b'T', 202);

/// struct ifreq of linux/if.h: a name, then a union of which flags are the first member.
#[repr(C, align(8))]
struct Request {
    name: [u8; 16],
    flags: u16,
    rest: [u8; 22],
}

/// An interface and what is written into and read out of it.
pub(super) struct Device(AsyncFd<OwnedFd>);

impl Device {
    /// Makes the interface; it goes when this is dropped.
    pub(super) fn make(name: &str) -> io::Result<Self> {
        let told = |e: rustix::io::Errno| {
            let e = io::Error::from(e);
            io::Error::new(e.kind(), format!("/dev/net/tun: {e}; the kernel's module tun is needed"))
        };
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open("/dev/net/tun", flags, Mode::empty()).map_err(told)?;
        let mut request = Request { name: [0; 16], flags: TUN | PLAIN, rest: [0; 22] };
        // The last byte stays zero: the kernel reads a text.
        for (place, byte) in request.name.iter_mut().take(15).zip(name.bytes()) {
            *place = byte;
        }
        set_interface(&fd, &mut request).map_err(told)?;
        settle(name);
        #[expect(deprecated, reason = "its successor is unsafe for what an owned descriptor promises anyway")]
        Ok(Device(AsyncFd::new(fd)?))
    }

    /// Waits until there may be a packet.
    pub(super) async fn readable(&self) -> io::Result<()> {
        // What is read then says itself whether it was so.
        self.0.readable().await.map(|mut ready| ready.retain_ready())
    }

    /// Reads one packet; nothing when there is none now.
    pub(super) fn take(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.0.try_io(tokio::io::Interest::READABLE, |fd| Ok(rustix::io::read(fd, &mut *buffer)?)) {
            Ok(length) => Ok(Some(length)),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Hands one packet to the kernel; one that it has no room for is lost, as on any wire.
    pub(super) fn put(&self, packet: &[u8]) {
        if let Err(error) = rustix::io::write(self.0.get_ref(), packet) {
            tracing::trace!(%error, "a packet out of the tunnel is lost");
        }
    }
}

#[expect(unsafe_code, reason = "the kernel takes an interface's name by no other call")]
fn set_interface(fd: &OwnedFd, request: &mut Request) -> rustix::io::Result<()> {
    // SAFETY: TUNSETIFF reads and writes one struct ifreq, at most 40 bytes, which `Request` is
    // on every platform; the reference lives for the whole call.
    unsafe { ioctl(fd, Updater::<SET_INTERFACE, Request>::new(request)) }
}

/// What the kernel should think of packets from there: the protocol has checked where they come from.
fn settle(name: &str) {
    let of = |family: &str, key: &str| format!("/proc/sys/net/{family}/conf/{name}/{key}");
    for (path, value) in [
        (of("ipv4", "rp_filter"), "2"),
        (of("ipv4", "send_redirects"), "0"),
        (of("ipv6", "accept_ra"), "0"),
        (of("ipv6", "router_solicitations"), "0"),
    ] {
        if let Err(error) = std::fs::write(Path::new(&path), value) {
            tracing::debug!(path, %error, "a setting of the tunnel's interface stays as it is");
        }
    }
}
