//! TCP streams over a full line: who sends, and what somebody received.

use super::WORLD;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Sends zeros to whoever connects.
pub fn serve() {
    for stream in TcpListener::bind("0.0.0.0:5001").unwrap().incoming().flatten() {
        std::thread::spawn(move || {
            let mut stream = stream;
            while stream.write_all(&[0; 16_384]).is_ok() {}
        });
    }
}

/// Receives over so many connections; prints the bytes of the time after the first two seconds.
pub fn pull(from: IpAddr, flows: usize, seconds: u64) {
    let got = Arc::new(AtomicU64::new(0));
    for _ in 0..flows {
        let got = got.clone();
        std::thread::spawn(move || {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
            socket.connect(&WORLD.parse::<SocketAddr>().unwrap().into()).unwrap();
            let mut stream = TcpStream::from(socket);
            let mut buffer = vec![0; 65_536];
            while let Ok(n) = stream.read(&mut buffer) {
                got.fetch_add(n as u64, Ordering::Relaxed);
            }
        });
    }
    std::thread::sleep(Duration::from_secs(2));
    let (begin, before) = (Instant::now(), got.load(Ordering::Relaxed));
    std::thread::sleep(Duration::from_secs(seconds));
    let bytes = got.load(Ordering::Relaxed) - before;
    println!("=> {}", (bytes as f64 / begin.elapsed().as_secs_f64()) as u64);
    std::process::exit(0);
}
