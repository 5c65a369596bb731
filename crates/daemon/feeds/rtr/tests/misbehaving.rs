//! Caches that do what they should not, octet by octet.

use rpki::rtr::{Serial, State, Timing, pdu};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::super::dialogue::{Answer, Dialogue, Fault, Patience};
use super::super::transfer::Content;
use super::*;

const SESSION: u16 = 7;

fn state(session: u16, serial: u32) -> State {
    State::from_parts(session, Serial::from(serial))
}

fn response(version: u8, session: u16) -> Vec<u8> {
    pdu::CacheResponse::new(version, state(session, 0)).as_ref().to_vec()
}

fn prefix(version: u8, flags: u8, at: u8) -> Vec<u8> {
    pdu::Ipv4Prefix::new(version, flags, 24, 24, [10, 0, at, 0].into(), 64_500.into()).as_ref().to_vec()
}

fn end(version: u8, session: u16, serial: u32) -> Vec<u8> {
    let timing = Timing { refresh: 3600, retry: 600, expire: 7200 };
    pdu::EndOfData::new(version, state(session, serial), timing).as_ref().to_vec()
}

fn report(version: u8, code: u16, words: &str) -> Vec<u8> {
    pdu::Error::new(version, code, [], words).as_ref().to_vec()
}

fn notify(version: u8) -> Vec<u8> {
    pdu::SerialNotify::new(version, state(SESSION, 9)).as_ref().to_vec()
}

/// An ASPA of one provider as drafts before the twelfth had it: flags, AFI flags and the count behind the header.
fn old_aspa() -> Vec<u8> {
    let mut octets = vec![2, 11, 0, 0, 0, 0, 0, 20, 1, 3, 0, 1];
    octets.extend(64_500u32.to_be_bytes());
    octets.extend(64_501u32.to_be_bytes());
    octets
}

fn aspa(flags: u8, providers: &[u32]) -> Vec<u8> {
    let mut octets = vec![2, 11, flags, 0, 0, 0, 0, 12 + 4 * providers.len() as u8];
    octets.extend(64_500u32.to_be_bytes());
    octets.extend(providers.iter().flat_map(|provider| provider.to_be_bytes()));
    octets
}

/// What comes of asking, with `asked` held, a cache that says this and then nothing, or hangs up.
async fn told(version: u8, asked: Option<State>, octets: Vec<u8>, hangs_up: bool) -> Result<Answer, Fault> {
    let (mut cache, stream): (DuplexStream, DuplexStream) = duplex(1 << 20);
    cache.write_all(&octets).await.unwrap();
    if hangs_up {
        cache.shutdown().await.unwrap();
    }
    let patience = Patience { stall: Duration::from_millis(100), answer: Duration::from_millis(400) };
    Dialogue::new(stream, version, patience).ask(asked).await
}

async fn fault(version: u8, asked: Option<State>, parts: &[Vec<u8>]) -> String {
    told(version, asked, parts.concat(), false).await.unwrap_err().to_string()
}

#[tokio::test]
async fn every_misbehaviour_is_a_fault_of_its_own() {
    let held = Some(state(SESSION, 1));
    let r = || response(1, SESSION);
    for (asked, parts, expected) in [
        (None, vec![vec![]], "the cache did not answer in time"),
        (None, vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()], "PDU type 84 where none such belongs"),
        (None, vec![r()], "the cache stopped in the middle of an answer"),
        (None, vec![r(), prefix(1, 1, 1)[..11].to_vec()], "the cache stopped in the middle of an answer"),
        (None, vec![r(), end(1, SESSION + 1, 2)], "the session changed within an answer"),
        (held, vec![r(), prefix(1, 1, 1), end(1, SESSION + 1, 2)], "the session changed within an answer"),
        (
            held,
            vec![response(1, SESSION + 1), end(1, SESSION + 1, 2)],
            "the session changed within an answer",
        ),
        (None, vec![r(), prefix(0, 1, 1)], "version 0 in a conversation of version 1"),
        (None, vec![response(2, SESSION)], "the cache speaks version 2 alone"),
        (None, vec![r(), prefix(1, 0, 1)], "a withdrawal in the answer to a Reset Query"),
        (None, vec![r(), old_aspa()], "version 2 in a conversation of version 1"),
        (None, vec![pdu::CacheReset::new(1).as_ref().to_vec()], "PDU type 8 where none such belongs"),
        (None, vec![report(1, 1, "on\nfire")], "the cache reported error 1: on fire"),
        (None, vec![r(), report(1, 1, "")], "the cache reported error 1"),
        (None, vec![report(3, 4, "")], "the cache speaks version 3 alone"),
        (None, vec![r(), vec![1, 10, 0, 0, 0xff, 0xff, 0xff, 0xff]], "corrupt data: a PDU's length"),
        (None, vec![r(), vec![1, 4, 0, 0, 0, 0, 0, 8]], "corrupt data: a PDU's length"),
        (None, vec![r(), vec![1, 99, 0, 0, 0, 0, 0, 8]], "PDU type 99 where none such belongs"),
        (None, vec![r(), vec![1, 9, 0, 0, 0, 0, 0, 7]], "corrupt data: a PDU's length"),
    ] {
        assert_eq!(fault(1, asked, &parts).await, expected, "{parts:?}");
    }
    let mut long = prefix(1, 1, 1);
    long[9] = 33;
    assert_eq!(fault(1, None, &[r(), long]).await, "corrupt data: a prefix longer than an address");
    let mut short = prefix(1, 1, 1);
    short[10] = 23;
    assert_eq!(fault(1, None, &[r(), short]).await, "corrupt data: a maxLength out of its range");
}

#[tokio::test]
async fn aspas_that_are_none_are_told_apart() {
    let r = || response(2, SESSION);
    assert_eq!(fault(2, None, &[r(), old_aspa()]).await, "ASPAs of an older draft of version 2");
    assert_eq!(fault(2, None, &[r(), aspa(1, &[])]).await, "an ASPA of AS64500 without providers");
    assert_eq!(fault(2, None, &[r(), aspa(0, &[])]).await, "a withdrawal in the answer to a Reset Query");
    let held = Some(state(SESSION, 1));
    let answer = told(2, held, [r(), aspa(0, &[]), aspa(1, &[1]), end(2, SESSION, 2)].concat(), false).await;
    assert!(matches!(answer, Ok(Answer::Data(_))), "{answer:?}");
}

#[tokio::test]
async fn an_answer_without_end_ends() {
    let (mut cache, stream) = duplex(1 << 12);
    let flood = tokio::spawn(async move {
        let _ = cache.write_all(&response(1, SESSION)).await;
        while cache.write_all(&prefix(1, 1, 1)).await.is_ok() {}
    });
    let patience = Patience { stall: Duration::from_millis(100), answer: Duration::from_millis(400) };
    let began = Instant::now();
    let fault = Dialogue::new(stream, 1, patience).ask(None).await.unwrap_err();
    assert_eq!(fault.to_string(), "the cache's answer did not end in time");
    assert!(began.elapsed() < MOMENT);
    flood.abort();
}

/// The bound on what may be held, which no line is fast enough to reach in a test.
#[test]
fn entries_are_counted_whatever_they_are() {
    let mut incoming = super::super::transfer::Incoming::whole();
    let most = palisade_policy::vrps::MAX_VRPS;
    assert!((0..most).all(|_| incoming.count().is_ok()));
    assert!(matches!(incoming.count(), Err(Fault::TooMany)));
}

#[tokio::test]
async fn news_in_the_middle_of_an_answer_are_no_fault() {
    let parts =
        [notify(2), response(1, SESSION), prefix(1, 1, 1), notify(1), prefix(1, 1, 2), end(1, SESSION, 3)];
    let (mut cache, stream) = duplex(1 << 12);
    cache.write_all(&parts.concat()).await.unwrap();
    let mut dialogue = Dialogue::new(stream, 1, Patience::default());
    let Ok(Answer::Data(transfer)) = dialogue.ask(None).await else { unreachable!("it is an answer") };
    assert!(matches!(transfer.content, Content::Whole { vrps, .. } if vrps.len() == 2));
    let hour = Instant::now() + Duration::from_secs(3600);
    assert!(timeout(MOMENT, dialogue.told(hour)).await.is_ok(), "there is more to ask for at once");
    cache.write_all(&notify(1)[..5]).await.unwrap();
    assert!(timeout(Duration::from_millis(200), dialogue.told(hour)).await.is_err());
}

#[tokio::test]
async fn an_older_cache_is_spoken_to_in_its_version() {
    for octets in [
        [report(0, 4, "version 0 only"), response(0, SESSION), prefix(0, 1, 1), end(0, SESSION, 3)].concat(),
        [response(0, SESSION), prefix(0, 1, 1), end(0, SESSION, 3)].concat(),
    ] {
        let answer = told(1, None, octets, false).await;
        assert!(matches!(answer, Ok(Answer::Data(transfer)) if transfer.timing.is_none()));
    }
    let silent = told(1, None, Vec::new(), true).await.unwrap_err();
    assert!(matches!(silent, Fault::Speechless(1)), "{silent}");
}

/// A cache that has an answer for each query, and hangs up where that is `None`.
async fn scripted(answers: impl Fn(usize, [u8; 8]) -> Option<Vec<u8>> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut at = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut header = [0; 8];
            while stream.read_exact(&mut header).await.is_ok() {
                let mut rest = vec![0; usize::from(header[7]) - 8];
                stream.read_exact(&mut rest).await.unwrap();
                let answer = answers(at, header);
                at += 1;
                let Some(octets) = answer else { break };
                if stream.write_all(&octets).await.is_err() {
                    break;
                }
            }
        }
    });
    port
}

const RESET_QUERY: u8 = 2;

#[tokio::test]
async fn an_error_for_a_resumed_session_leads_to_all_of_it() {
    let port = scripted(|at, header| match at {
        0 => Some([response(1, SESSION), prefix(1, 1, 1), end(1, SESSION, 3), notify(1)].concat()),
        1 => None,
        2 => {
            assert_ne!(header[1], RESET_QUERY);
            Some(report(1, 0, "serial of another session"))
        }
        _ => {
            assert_eq!(header[1], RESET_QUERY);
            Some([response(1, 8), prefix(1, 1, 2), prefix(1, 1, 3), end(1, 8, 1)].concat())
        }
    });
    let mut client = Client::of(cache(port.await));
    assert_eq!(client.set().await.0.rov.len(), 1);
    assert_eq!(client.fault().await, "the cache closed the connection");
    assert_eq!(client.fault().await, "the cache reported error 0: serial of another session");
    let (set, facts) = client.set().await;
    assert_eq!((set.rov.len(), facts.session), (2, 8));
}

#[tokio::test]
async fn changes_that_do_not_fit_lead_to_all_of_it() {
    let port = scripted(|at, header| match at {
        0 => Some([response(1, SESSION), prefix(1, 1, 1), end(1, SESSION, 3), notify(1)].concat()),
        1 => Some([response(1, SESSION), prefix(1, 0, 9), end(1, SESSION, 4)].concat()),
        _ => {
            assert_eq!(header[1], RESET_QUERY);
            Some([response(1, SESSION), prefix(1, 1, 2), prefix(1, 1, 3), end(1, SESSION, 4)].concat())
        }
    });
    let mut client = Client::of(cache(port.await));
    assert_eq!(vrps(&client.set().await.0), [vrp(1)]);
    assert_eq!(vrps(&client.set().await.0), [vrp(2), vrp(3)]);
}

#[tokio::test]
async fn aspas_of_an_older_draft_cost_no_vrp() {
    let port = scripted(|_, header| match header[0] {
        2 => Some([response(2, SESSION), prefix(2, 1, 1), old_aspa(), end(2, SESSION, 3)].concat()),
        1 => Some([response(1, SESSION), prefix(1, 1, 1), end(1, SESSION, 3)].concat()),
        _ => None,
    });
    let mut client = Client::of(Cache { aspa: true, ..cache(port.await) });
    assert_eq!(client.fault().await, "ASPAs of an older draft of version 2");
    let (set, facts) = client.set().await;
    assert_eq!((set.rov.len(), facts.version), (1, 1));
    assert!(facts.note.unwrap().contains("older draft"), "{facts:?}");
}

#[tokio::test]
async fn a_fault_in_version_2_takes_no_aspa_away() {
    let port = scripted(|at, header| match (at, header[0]) {
        (0, 2) => Some([response(2, SESSION), prefix(2, 1, 1), aspa(1, &[1]), end(2, SESSION, 3)].concat()),
        (_, 2) => Some([response(2, SESSION), prefix(2, 1, 2), vec![0xa5; 64]].concat()),
        (_, 1) => Some([response(1, SESSION), prefix(1, 1, 2), end(1, SESSION, 4)].concat()),
        _ => None,
    });
    let refresh = Some(Duration::from_secs(1));
    let mut client = Client::of(Cache { aspa: true, refresh, ..cache(port.await) });
    let (before, _) = client.set().await;
    let (after, facts) = client.set().await;
    assert_eq!((before.aspa.len(), after.aspa.len(), facts.version), (1, 1, 1));
    assert_eq!(vrps(&after), [vrp(2)]);
}

#[tokio::test]
async fn a_cache_that_hangs_up_on_a_version_is_offered_a_lower_one() {
    let port = scripted(|_, header| match header[0] {
        0 => Some([response(0, SESSION), prefix(0, 1, 1), end(0, SESSION, 3)].concat()),
        _ => None,
    });
    let mut client = Client::of(cache(port.await));
    let (_, facts) = client.set().await;
    assert_eq!((facts.version, facts.expire.as_secs()), (0, 7200));
}
