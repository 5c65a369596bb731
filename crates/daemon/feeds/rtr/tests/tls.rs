//! A cache behind TLS: who is believed, and who is not.

use std::fs::write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rpki::rtr::{Serial, State, Timing, pdu};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::config::Tls;

/// Certificates of a cache and of a router, and of who signed both.
struct Certificates(TempDir);

impl Certificates {
    /// `None` where nothing is there to make them with, which is said.
    fn new(test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path().join("cache.ext"), "subjectAltName=DNS:cache.example.net").unwrap();
        write(folder.path().join("router.ext"), "subjectAltName=DNS:router.example.net").unwrap();
        let ec = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test";
        let mut commands = vec![format!("req -x509 {ec} -days 2 -keyout ca.key -out ca.pem")];
        for name in ["cache", "router"] {
            commands.push(format!("req {ec} -keyout {name}.key -out {name}.csr"));
            commands.push(format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem"
            ));
        }
        for command in commands {
            let run = Command::new("openssl")
                .args(command.split(' '))
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            let Ok(status) = run else {
                println!("skipped: {test}: openssl is not installed");
                return None;
            };
            assert!(status.success(), "openssl {command}");
        }
        Some(Certificates(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A cache of one VRP that asks who comes.
    async fn serve(&self) -> u16 {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path("ca.pem")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_file(self.path("cache.pem")).unwrap()],
                PrivateKeyDer::from_pem_file(self.path("cache.key")).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let state = State::from_parts(7, Serial::from(1));
                let mut answer = pdu::CacheResponse::new(1, state).as_ref().to_vec();
                let prefix = pdu::Ipv4Prefix::new(1, 1, 24, 24, [10, 0, 1, 0].into(), 64_500.into());
                answer.extend(prefix.as_ref());
                answer.extend(pdu::EndOfData::new(1, state, Timing::default()).as_ref());
                if stream.read_exact(&mut [0; 8]).await.is_ok() {
                    stream.write_all(&answer).await.unwrap();
                    stream.flush().await.unwrap();
                    // It stays until the client goes.
                    let _ = stream.read(&mut [0; 8]).await;
                }
            }
        });
        port
    }
}

#[tokio::test]
async fn only_who_is_vouched_for_is_believed() {
    let Some(made) = Certificates::new("only_who_is_vouched_for_is_believed") else { return };
    let port = made.serve().await;
    let identity = Some((made.path("router.pem"), made.path("router.key")));
    let good = Tls { name: "cache.example.net".into(), ca: Some(made.path("ca.pem")), identity };
    let with = |tls: Tls| Cache { tls: Some(tls), ..cache(port) };
    let set = fetch_once(&with(good.clone()), MOMENT).await.unwrap();
    assert_eq!(vrps(&set), [vrp(1)]);

    let other = Tls { name: "other.example.net".into(), ..good.clone() };
    let of_system = Tls { ca: None, ..good.clone() };
    let nobody = Tls { identity: None, ..good.clone() };
    let missing = Tls { ca: Some(Path::new("/nowhere.pem").into()), ..good.clone() };
    let no_key = Tls { identity: Some((made.path("router.pem"), made.path("ca.pem"))), ..good };
    for (tls, told) in [
        (other, "not valid for name"),
        (of_system, "certificate"),
        (nobody, "CertificateRequired"),
        (missing, "/nowhere.pem"),
        (no_key, "ca.pem: no items found"),
    ] {
        let mut client = Client::of(with(tls));
        let fault = client.fault().await;
        assert!(fault.contains(told), "{told}: {fault}");
    }
}
