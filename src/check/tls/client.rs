//! What all TLS connections share: our certificate, the sessions to resume, and the verifier
//! that accepts everybody.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{ring, CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::key::private_key;
use super::sessions::Sessions;
use super::{KeyError, Material};

/// The client side of TLS, for any number of connections. Clones share the sessions.
#[derive(Clone, Debug)]
pub struct Client(pub(super) Sessions);

impl Client {
    pub fn new(material: &Material) -> Result<Self, KeyError> {
        let provider =
            CryptoProvider { signature_verification_algorithms: NONE, ..ring::default_provider() };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| KeyError::Pair(e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Everybody));
        let config = match (&material.certificate, &material.key) {
            (Some(certificate), Some(key)) => {
                let key = private_key(key, material.password.as_deref()).map_err(KeyError::Key)?;
                builder
                    .with_client_auth_cert(certificates(certificate)?, key)
                    .map_err(|e| KeyError::Pair(e.to_string()))?
            }
            // As with keepalived, one without the other does no harm.
            _ => builder.with_no_client_auth(),
        };
        Ok(Self(Sessions::new(config)))
    }

    pub(super) fn config(&self, server: SocketAddr, name: &ServerName<'_>) -> Arc<ClientConfig> {
        self.0.of(server, name)
    }
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, KeyError> {
    let list = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| KeyError::Certificate(e.to_string()))?;
    if list.is_empty() {
        return Err(KeyError::Certificate("there is none in the file".to_owned()));
    }
    Ok(list)
}

/// Accepts every certificate, and every signature made with it: see the module [`super`] for why
/// that is right for a health check. A signature would prove who the server is not trusted to be,
/// and reading the certificate for it would refuse old ones that work everywhere else.
#[derive(Debug)]
struct Everybody;

/// No signature is verified, and what could do so is not in the program.
const NONE: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms { all: &[], mapping: &[] };

impl ServerCertVerifier for Everybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA256,
            // What is not checked can be offered: servers with old certificates choose among these.
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]
    }
}
