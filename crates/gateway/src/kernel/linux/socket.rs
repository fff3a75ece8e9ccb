//! One netlink socket that asks and reads what the kernel answers.
//!
//! The kernel answers within the sending call, except for dumps, which it makes as
//! they are read. A timeout on reading guards against a kernel that does neither.

use crate::kernel::KernelError;
use kulkul_wire::netlink::message::{DONE, DUMP_INTERRUPTED, ERROR, Message, Messages};
use kulkul_wire::netlink::{Change, tables};
use netlink_sys::{Socket, SocketAddr};
use socket2::SockRef;
use std::io;
use std::time::Duration;

/// Largest datagram that a dump makes is 32 KiB; two fit.
const BUFFER: usize = 64 * 1024;
const NO_WAIT: i32 = 0x40;

/// A socket and the number of the next request.
#[derive(Debug)]
pub(super) struct Talk {
    socket: Socket,
    seq: u32,
    buffer: Vec<u8>,
}

fn io_error(doing: &'static str) -> impl Fn(io::Error) -> KernelError {
    move |source| KernelError::Io { doing, source }
}

impl Talk {
    pub(super) fn open(protocol: isize) -> Result<Self, KernelError> {
        let err = io_error("opening a netlink socket");
        let mut socket = Socket::new(protocol).map_err(&err)?;
        socket.bind_auto().map_err(&err)?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(&err)?;
        // Old kernels lack these; they only make errors shorter and clearer.
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_ext_ack(true);
        let options = SockRef::from(&socket);
        options.set_read_timeout(Some(Duration::from_secs(2))).map_err(&err)?;
        // As large as the system allows; smaller only means smaller batches.
        let _ = options.set_recv_buffer_size(1 << 20);
        let _ = options.set_send_buffer_size(1 << 20);
        Ok(Talk { socket, seq: 1, buffer: Vec::with_capacity(BUFFER) })
    }

    fn next(&mut self, steps: u32) -> u32 {
        let seq = self.seq;
        self.seq = seq.wrapping_add(steps);
        seq
    }

    fn send(&self, doing: &'static str, bytes: &[u8]) -> Result<(), KernelError> {
        loop {
            match self.socket.send(bytes, 0) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(KernelError::Io { doing, source }),
            }
        }
    }

    /// Reads one datagram into the buffer; false when there is none and `flags` say not to wait.
    fn receive(&mut self, doing: &'static str, flags: i32) -> Result<bool, KernelError> {
        loop {
            self.buffer.clear();
            match self.socket.recv(&mut self.buffer, flags) {
                Ok(n) => return Ok(n > 0),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && flags == NO_WAIT => return Ok(false),
                Err(source) => return Err(KernelError::Io { doing, source }),
            }
        }
    }

    /// Throws away what an earlier request left behind.
    fn drain(&mut self, doing: &'static str) -> Result<(), KernelError> {
        while self.receive(doing, NO_WAIT)? {}
        Ok(())
    }

    /// Sends a question and hands the answers to `read`.
    pub(super) fn ask(
        &mut self,
        doing: &'static str,
        make: impl FnOnce(u32) -> Vec<u8>,
        mut read: impl FnMut(&Message<'_>),
    ) -> Result<(), KernelError> {
        let seq = self.next(1);
        self.send(doing, &make(seq))?;
        // All answers are there when the sending call returns.
        let mut failed = None;
        while self.receive(doing, NO_WAIT)? {
            for message in Messages(&self.buffer) {
                let message = message.map_err(|source| KernelError::Garbled { doing, source })?;
                match message.kind {
                    _ if message.seq != seq => {}
                    ERROR if message.errno() != 0 => failed = failed.or(Some(refused(doing, &message, None))),
                    ERROR => {}
                    _ => read(&message),
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Sends so many requests in one datagram and reads how each went; all are tried.
    pub(super) fn many(
        &mut self,
        doing: &'static str,
        count: usize,
        make: impl Fn(usize, u32) -> Vec<u8>,
    ) -> Result<(), KernelError> {
        self.drain(doing)?;
        let first = self.next(u32::try_from(count).unwrap_or(u32::MAX));
        let number = |i: usize| first.wrapping_add(u32::try_from(i).unwrap_or(u32::MAX));
        let bytes: Vec<u8> = (0..count).flat_map(|i| make(i, number(i))).collect();
        self.send(doing, &bytes)?;
        let (mut failed, mut answered) = (None, 0);
        while self.receive(doing, NO_WAIT)? {
            for message in Messages(&self.buffer) {
                let message = message.map_err(|source| KernelError::Garbled { doing, source })?;
                let index = message.seq.wrapping_sub(first) as usize;
                if message.kind != ERROR || index >= count {
                    continue;
                }
                answered += 1;
                if message.errno() != 0 && failed.is_none() {
                    failed = Some(refused(doing, &message, Some(index)));
                }
            }
        }
        match failed {
            Some(e) => Err(e),
            None if answered >= count => Ok(()),
            None => Err(KernelError::Io { doing, source: io::ErrorKind::TimedOut.into() }),
        }
    }

    /// Sends a question for a dump; false when the dump changed while it was read.
    pub(super) fn dump(
        &mut self,
        doing: &'static str,
        make: impl FnOnce(u32) -> Vec<u8>,
        mut read: impl FnMut(&Message<'_>) -> Result<(), KernelError>,
    ) -> Result<bool, KernelError> {
        self.drain(doing)?;
        let seq = self.next(1);
        self.send(doing, &make(seq))?;
        let mut whole = true;
        loop {
            match self.receive(doing, 0) {
                Ok(_) => {}
                // The buffer overflowed: the rest of the dump is of no use.
                Err(KernelError::Io { source, .. }) if source.raw_os_error() == Some(105) => {
                    return Ok(false);
                }
                Err(e) => return Err(e),
            }
            let buffer = std::mem::take(&mut self.buffer);
            let mut done = false;
            let mut result = Ok(());
            for message in Messages(&buffer) {
                let message = message.map_err(|source| KernelError::Garbled { doing, source })?;
                if message.seq != seq {
                    continue;
                }
                whole &= message.flags & DUMP_INTERRUPTED == 0;
                match message.kind {
                    DONE | ERROR if message.errno() < 0 => {
                        // EINTR is how some dumps say that they were interrupted.
                        if message.errno() == -4 {
                            whole = false;
                        } else if !is_absent(&message) {
                            result = Err(refused(doing, &message, None));
                        }
                        done = true;
                    }
                    DONE | ERROR => done = true,
                    _ if result.is_ok() => result = read(&message),
                    _ => {}
                }
            }
            self.buffer = buffer;
            if done || result.is_err() {
                return result.map(|()| whole);
            }
        }
    }

    /// Sends changes as one transaction and reads how it went.
    pub(super) fn batch(&mut self, changes: &[Change]) -> Result<(), KernelError> {
        let doing = "changing a set";
        let seq = self.seq;
        let (bytes, first, last) = tables::batch(changes, seq);
        self.seq = last.wrapping_add(2);
        self.send(doing, &bytes)?;
        let mut failed: Option<KernelError> = None;
        let mut acknowledged = false;
        while self.receive(doing, NO_WAIT)? {
            for message in Messages(&self.buffer) {
                let message = message.map_err(|source| KernelError::Garbled { doing, source })?;
                if message.kind != ERROR
                    || message.seq.wrapping_sub(seq) > last.wrapping_sub(seq).wrapping_add(1)
                {
                    continue;
                }
                if message.errno() == 0 {
                    acknowledged |= message.seq == last;
                } else if failed.is_none() {
                    let index = usize::try_from(message.seq.wrapping_sub(first)).ok();
                    failed = Some(refused(doing, &message, index.filter(|i| *i < changes.len())));
                }
            }
        }
        match failed {
            Some(e) => Err(e),
            None if acknowledged => Ok(()),
            None => Err(KernelError::Io { doing, source: io::ErrorKind::TimedOut.into() }),
        }
    }
}

/// A dump of a set or table that is not there is an empty dump.
fn is_absent(message: &Message<'_>) -> bool {
    message.errno() == -2
}

fn refused(doing: &'static str, message: &Message<'_>, index: Option<usize>) -> KernelError {
    let source = io::Error::from_raw_os_error(message.errno().saturating_neg());
    KernelError::Refused { doing, source, words: message.words(), index }
}
