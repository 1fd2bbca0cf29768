//! Keys as OpenSSL 3 wrote them, all the one of the tests, with the password `secret`.

use super::*;

const CLEAR: &str = include_str!("../test-key.pem");

/// As it is written when nothing else is asked for.
const AES_256: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh0N84Jk+8mJQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFoazab6nwwYh9xrHbq1bf4EgZDN
OEAZ84lnjtCZYy+BCfZH1uHWGuIhwqp7WT31e5iEWKJ8imp5xKNYEcofXw67pDU6
DkwZo8RlOl5+dUy8+d6e3E954UA+1yWjdDi6kWZiQzVl/PnE9Rwo3ySED/By/0lt
/7ts43HEDCd5fJXzONXDU5HdCiVkMR7yCCNVFd2z6NXoo6rn/oOwpQtH/wzi7Bw=
-----END ENCRYPTED PRIVATE KEY-----
";

const AES_128_SHA_512: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjA7ihpSLa9JAICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEAQIEEO+v6qmjq+c+3SRJkrCYksAEgZCR
KPugiC5hK19qBHKWxFoXGMsIkoBMTndyNZ9u8U22UacNcKhDvbiOGp8H1tJa/fhn
PKuV40HaEucKmP5R+R6NK/Fo4SA1gDBZIIkM8WrWUSWoz4RbWP0mud5+bJ9jeJ+9
/YeDexVilIiINNr55hYNyabaWDtnp//tF26WBjLbXevteW3bODmZBLyk7o2OVx8=
-----END ENCRYPTED PRIVATE KEY-----
";

const AES_192_SHA_1: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAjoq+zFkl9pgwICCAAw
HQYJYIZIAWUDBAEWBBCQoOEPG9n2Wes8cE6YxaTHBIGQmWpasE2QbS8iF65uativ
eCrqltdG0/m0Kgb15lk6HtRgJXAo9Se+XzqWQ3xOwoul6VL2dQrgwF8vvzLcXtgj
y0DUPg9bBoY/ojMvexsSd1s08C/NZbKLNkPYEPYgxyoz4wyuHfi1IyL+C2+zFMep
Lsk/P/5HwnlIe2ol+VgfaOtCcEYU5vEp2Abn0xU2C4qx
-----END ENCRYPTED PRIVATE KEY-----
";

const DES3_SHA_384: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHjME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAgNLWjQjU08tAICCAAw
DAYIKoZIhvcNAgoFADAUBggqhkiG9w0DBwQIRhPB8rGYiccEgZBtN6cqmKTrDe2u
H3BBs7ZgHopV9s4PH1r2WXmYmGbIOpoIUr7M7An1yZQ4hT3Y4bR6m3BekW+oZadJ
uCO3Hw5gYoyXucAL1cc+kBbTgQOwpLiVPsM1qo1/ikGmJ5a2ycz7ZMib/5jhop6S
//hZkE/4bV3o7qfxJ2M4ryOQRsq80WGxhYCkzwUGiDRK0xQvmKA=
-----END ENCRYPTED PRIVATE KEY-----
";

const SCRYPT: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAijiYkwVYmxowICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBBHan6VD1yPSmjFFFWBle18BIGQvhrsenf/WvNo
9mz0iV5+HvCTPrL2oyac3N+3+RU/vOICH7Gmf24fLb268Yyeb3taOIL6nn6gdAWy
Vol26dzAadrY4v0aH0uvLnPbdPOKQj0JzELVC/xXp4xeMaeU+L9YgEfPosfzVui2
UL8ef0gnNBAXOp7EvAeR5ptdb1t4cmFl1rncE49Ddbe/j2dQforu
-----END ENCRYPTED PRIVATE KEY-----
";

const MANY_ROUNDS: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHtMFgGCSqGSIb3DQEFDTBLMCoGCSqGSIb3DQEFDDAdBAhgQySgB8FWkAIDAw1B
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBDCRSr18FRUiumCkMQ87gaGBIGQ
6Xk+nTLE1RKpbod2gfwQewNCtE9KkYExGhFxVviZpFP6AmMXBkHM+ajjWNN90OfU
LjUbuj3AMB2HaUo3Mt/lV+7knBFm2Iph6sgZT+p/zGJjOFmp6vKSxart4Fi2Ffvq
7EYrkE101OED7Lp0K1RaYG/i/TX7G5pAAVwf/G5Kr6B94t4lFllOIigPBOE/uMZE
-----END ENCRYPTED PRIVATE KEY-----
";

const OLD_AES_256: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,D10DFEFEFE5BF4D0493386F40F9382CB

kwNcKLMcXvKKiCaWvQnqObE9VllIsWv/v0yXQAChbeBL4cP+KMkrpWcdAMg+V3nQ
i8M4EGcqCL10eUlop68BZaMp7HNyB6HukCGe0edDM1SzgUOCkYGOoOTNrXUUAZ8W
f0xbhbcYLP5Xc62QFKBSxFxo+59JjhkKGRvPINDytc8=
-----END EC PRIVATE KEY-----
";

const OLD_DES3: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-EDE3-CBC,939EE568F2915C9B

uXHg0nz3lLDU/i45SQUdHfNh4P/rBsiEuG2nU+rVaF23Qe6e8Jejy2gON5G6jJKK
BkHrbWbH1vz5wSXl5+fGalqxLnTOHCtz+R3mYxj9yixPbcjPxNMPjLJQt917wWY/
6uEdR6xFmo8P22vly41As915vI79p+dVkwI8r2iqUxw=
-----END EC PRIVATE KEY-----
";

const OLD_RSA: &str = "\
-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,F5CC76873176B68D964F4C16BCF79EFA

Xn3uT/B966qhm83INI7zkyZnK+wkqESGn7YAgQDWLleQD1sfSPaEJfjBtPS4QuMZ
nT0gSTBU+Z2eAF3LjPx0+/Hqw8/g/wJoIDQPTE7livyOFe87Nkte9lBwtnZf3va1
hjV5u1MlBB9EwhQImcB0lHBJpX+Dh4uDzNKDi8Pv/fVxjU7y7V/MP5EcEctRdnib
/TbSi7fFBN4rNnEhyJ8kpVskwlqjHlRkXxJYy+3v//y4beCES5nKTUFgIjF3Di/M
wKAyX/M+zXJm3tFYhKTZ7meLEfI3feaDVpjaOjSqMDCBNOKOkpoJ5wdjDgrGWq+r
Z/uQoyhR1ItRQ04Bd71Cyxm/xrHTB8xVWLdoEGUVkWrUIkJiDi7MAWaMSt1GbEA2
MQAfpohT/KSUohURBvQL4YxxFQ1MVKtQsDGuS4kdGA/coOIZDILAQWgW5XK9vHyX
-----END RSA PRIVATE KEY-----
";

const OLD_CLEAR: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKA4A9pzH5h6vHB95ZsGm5p88vU2o5clTUp17FnkfoE4oAoGCCqGSM49
AwEHoUQDQgAEhAPjQ/FHBaw74Xa8v8Gz5E9mLcRklGr/LRvNRbj4jPaW2hZsmBVA
hu+rEqwNNEGqDxCZO/PT9XrnZS6r1jVoYg==
-----END EC PRIVATE KEY-----
";

fn opened(text: &str, password: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    private_key(text.as_bytes(), password)
}

#[test]
fn keys_of_every_kind_open_with_their_password() {
    let clear = opened(CLEAR, None).expect("it is not locked");
    for text in [AES_256, AES_128_SHA_512, AES_192_SHA_1, DES3_SHA_384] {
        assert_eq!(opened(text, Some("secret")), Ok(clear.clone_key()), "{text}");
    }
    let old = opened(OLD_CLEAR, None).expect("it is not locked");
    for text in [OLD_AES_256, OLD_DES3] {
        assert_eq!(opened(text, Some("secret")), Ok(old.clone_key()), "{text}");
    }
    assert!(matches!(opened(OLD_RSA, Some("secret")), Ok(PrivateKeyDer::Pkcs1(_))));
    // Behind a certificate, with what openssl writes between, and a password that is not needed.
    let behind = format!("{}Bag Attributes: x\n{AES_256}", include_str!("../test-certificate.pem"));
    assert_eq!(opened(&behind, Some("secret")), Ok(clear.clone_key()));
    assert_eq!(opened(CLEAR, Some("secret")), Ok(clear));
}

#[test]
fn a_key_that_stays_locked_says_what_to_do() {
    let damaged = AES_256.replace("MIHs", "MIHt");
    let old_des = OLD_DES3.replace("DES-EDE3-CBC", "DES-CBC");
    for (text, password, words) in [
        (AES_256, None, "it needs a password"),
        (OLD_DES3, None, "it needs a password"),
        (AES_256, Some("Secret"), "the password is wrong"),
        (OLD_AES_256, Some(""), "the password is wrong"),
        (SCRYPT, Some("secret"), "not supported; write it again: openssl pkcs8"),
        (MANY_ROUNDS, Some("secret"), "its password takes 200001 rounds"),
        (&old_des, Some("secret"), "with 'DES-CBC', which is not supported; write it again"),
        (&damaged, Some("secret"), "not supported"),
        ("", Some("secret"), "there is none"),
    ] {
        let said = opened(text, password).expect_err(words);
        assert!(said.contains(words), "{said} instead of {words}");
    }
}

#[test]
fn rubbish_inside_is_an_error_wherever_it_is() {
    let locked = Lock::of(AES_256).ok().flatten();
    let Some(Lock::Pkcs8(text)) = locked else { panic!("it is locked") };
    let der = parse(&text).expect("PEM").secret_der().to_vec();
    assert!(open_pkcs8(&der, b"secret").is_ok());
    for at in 0..der.len() {
        assert!(open_pkcs8(&der[..at], b"secret").is_err(), "cut at {at}");
        for value in [0, 1, 0x7f, 0x80, 0x84, 0xff] {
            let mut changed = der.clone();
            changed[at] = value;
            // Some of it is key: that nothing panics is enough.
            let _ = Locked::parse(&changed);
        }
    }
    for text in
        [OLD_AES_256.replace("D10D", "D1ZD"), OLD_AES_256.replace("AES-256-CBC,", "AES-256-CBC")]
    {
        assert!(opened(&text, Some("secret")).is_err());
    }
}
