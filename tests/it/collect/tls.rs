//! An array behind TLS: whose certificate is trusted, and whose is not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use super::{Collector, NOBODY};

const ARRAY: &str = "3f2a91c7-5d84-4e0b-9a6c-0b7d41e2c9f8";
const EXPOSITION: &str = include_str!("../../../examples/vendor/purefa_exporter_exposition.txt");

/// A certificate for 127.0.0.1 that vouches for itself; false where there is no openssl.
fn certificate(directory: &Path, name: &str) -> bool {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=array"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(directory.join(format!("{name}.key")))
        .arg("-out")
        .arg(directory.join(format!("{name}.pem")))
        .output();
    match made {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            true
        }
        Err(error) => {
            eprintln!("passed over without openssl: {error}");
            false
        }
    }
}

/// Answers every connection with the exposition, if it comes so far.
fn serve(directory: &Path) -> u16 {
    let read = |name: &str| std::fs::read(directory.join(name)).unwrap();
    let identity = native_tls::Identity::from_pkcs8(&read("own.pem"), &read("own.key")).unwrap();
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Ok(mut stream) = acceptor.accept(stream) else { continue };
            let mut head = [0; 4096];
            let Ok(_bytes) = stream.read(&mut head) else { continue };
            let length = EXPOSITION.len();
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{EXPOSITION}");
            let _ = stream.shutdown();
        }
    });
    port
}

#[test]
fn only_the_named_authority_is_trusted() {
    let directory = tempfile::tempdir().unwrap();
    if !certificate(directory.path(), "own") || !certificate(directory.path(), "other") {
        return;
    }
    let port = serve(directory.path());
    let polled = |host: &str, authority: &str| {
        let ca = match authority {
            "" => String::new(),
            name => format!("ca_file = {:?}\n", directory.path().join(name)),
        };
        let url = format!("https://{host}:{port}/metrics");
        let collector = Collector::new(directory.path(), "c", "openmetrics", NOBODY, &[(ARRAY, url)], "");
        let text = std::fs::read_to_string(&collector.file).unwrap();
        std::fs::write(&collector.file, text + &ca).unwrap();
        let output = collector.dry_run();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, log) = polled("127.0.0.1", "own.pem");
    assert_eq!(code, Some(0), "{log}");
    for (host, authority) in [("127.0.0.1", ""), ("127.0.0.1", "other.pem"), ("localhost", "own.pem")] {
        let (code, log) = polled(host, authority);
        assert_eq!(code, Some(1), "{host} {authority}");
        assert!(log.contains("certificate verify failed") || log.contains("self-signed"), "{host} {authority}: {log}");
    }
    let (code, log) = polled("127.0.0.1", "token");
    assert!(code == Some(1) && log.contains("no usable PEM certificates"), "{log}");
}
