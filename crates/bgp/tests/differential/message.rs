//! Messages that are in order, made by chance; and faults put into them where faults hurt: in an attribute's flags, length, value,
//! number and place.

use palisade_bgp::Context;

use crate::random::Rng;

/// An UPDATE in its parts.
pub(crate) struct Message {
    pub(crate) context: Context,
    withdrawn: Vec<u8>,
    /// Flags, type, value.
    attributes: Vec<(u8, u8, Vec<u8>)>,
    nlri: Vec<u8>,
}

const OPTIONAL: u8 = 0x80;
const TRANSITIVE: u8 = 0x40;
const EXTENDED_LENGTH: u8 = 0x10;

/// Attributes that others know and we don't, and one that nobody does.
const FOREIGN: [(u8, u8); 12] = [
    (0xc0, 22),
    (0xc0, 23),
    (0x80, 24),
    (0x80, 26),
    (0xc0, 28),
    (0x80, 29),
    (0x80, 33),
    (0xc0, 36),
    (0xc0, 40),
    (0xc0, 128),
    (0xc0, 99),
    (0x80, 99),
];

impl Message {
    /// One that no one can find fault with.
    pub(crate) fn sound(rng: &mut Rng) -> Self {
        let add_path = rng.below(4) == 0;
        let context = Context {
            four_octet_as: rng.below(3) > 0,
            internal: rng.below(3) == 0,
            add_path: [add_path; 2],
            ..Context::default()
        };
        let mut message = Message { context, withdrawn: vec![], attributes: vec![], nlri: vec![] };
        let families = 1 + rng.below(3);
        if rng.below(8) == 0 {
            message.withdraw(families, rng);
        } else {
            message.announce(families, rng);
            if rng.below(6) == 0 {
                message.withdraw(families, rng);
            }
        }
        // The order sent is of no importance.
        if rng.below(8) == 0 && !message.attributes.is_empty() {
            let turn = rng.below(message.attributes.len());
            message.attributes.rotate_left(turn);
        }
        message
    }

    fn withdraw(&mut self, families: usize, rng: &mut Rng) {
        if families & 1 != 0 {
            self.withdrawn = self.prefixes(32, rng);
        }
        if families & 2 != 0 {
            let value = [&[0, 2, 1][..], &self.prefixes(128, rng)].concat();
            self.attributes.push((OPTIONAL, 15, value));
        }
    }

    fn announce(&mut self, families: usize, rng: &mut Rng) {
        if families & 2 != 0 {
            let link_local = rng.below(3) == 0;
            let mut value = vec![0, 2, 1, if link_local { 32 } else { 16 }];
            value.extend([&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[rng.next() as u8]].concat());
            if link_local {
                value.extend([&[0xfe, 0x80][..], &[0; 13], &[1]].concat());
            }
            value.push(0);
            value.extend(self.prefixes(128, rng));
            self.attributes.push((OPTIONAL, 14, value));
        }
        self.attributes.push((TRANSITIVE, 1, vec![rng.below(3) as u8]));
        let path = self.path(rng);
        self.attributes.push((TRANSITIVE, 2, path));
        if families & 1 != 0 {
            self.attributes.push((TRANSITIVE, 3, vec![192, 0, 2, rng.next() as u8]));
            self.nlri = self.prefixes(32, rng);
        }
        self.optional(rng);
    }

    /// Sequences, and now and then a set at the end.
    fn path(&self, rng: &mut Rng) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..1 + rng.below(8) / 7 {
            self.segment(2, 1 + rng.below(6), rng, &mut out);
        }
        if rng.below(12) == 0 {
            self.segment(1, 1 + rng.below(3), rng, &mut out);
        }
        out
    }

    fn segment(&self, kind: u8, count: usize, rng: &mut Rng, out: &mut Vec<u8>) {
        out.extend([kind, count as u8]);
        for _ in 0..count {
            let asn = 1 + rng.below(70_000) as u32;
            match self.context.four_octet_as {
                true => out.extend(asn.to_be_bytes()),
                false => out.extend(u16::try_from(asn).unwrap_or(23456).to_be_bytes()),
            }
        }
    }

    fn optional(&mut self, rng: &mut Rng) {
        let wide = self.context.four_octet_as;
        let sizes: [(u8, u8, usize); 11] = [
            (OPTIONAL, 4, 4),
            (TRANSITIVE, 5, 4),
            (TRANSITIVE, 6, 0),
            (0xc0, 7, if wide { 8 } else { 6 }),
            (0xc0, 8, 4),
            (OPTIONAL, 9, 4),
            (OPTIONAL, 10, 4),
            (0xc0, 16, 8),
            (0xc0, 25, 20),
            (0xc0, 32, 12),
            (0xc0, 35, 4),
        ];
        for (flags, code, size) in sizes {
            let for_inside = matches!(code, 5 | 9 | 10);
            if rng.below(4) > 0 || for_inside && !self.context.internal {
                continue;
            }
            let items = if matches!(code, 8 | 10 | 16 | 25 | 32) { 1 + rng.below(5) } else { 1 };
            // Never 0, which is no AS number.
            let value = (0..size * items).map(|_| 1 + (rng.next() as u8 >> 1)).collect();
            self.attributes.push((flags, code, value));
        }
        if !wide && rng.below(3) == 0 {
            let mut path = Vec::new();
            let count = 1 + rng.below(4);
            path.extend([2, count as u8]);
            (0..count).for_each(|_| path.extend((65_536 + rng.below(9000) as u32).to_be_bytes()));
            self.attributes.push((0xc0, 17, path));
            if rng.below(3) == 0 {
                self.attributes.push((0xc0, 18, vec![0, 1, 0x86, 0xa0, 192, 0, 2, 9]));
            }
        }
        if rng.below(10) == 0 {
            self.attributes.push((0xc0, 99, (0..rng.below(9)).map(|_| rng.next() as u8).collect()));
        }
    }

    fn prefixes(&self, bits: u8, rng: &mut Rng) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..1 + rng.below(5) {
            if self.context.add_path[0] {
                out.extend((rng.below(9) as u32).to_be_bytes());
            }
            let length = if rng.below(20) == 0 { 0 } else { 1 + rng.below(bits.into()) as u8 };
            out.push(length);
            out.extend((0..length.div_ceil(8)).map(|_| rng.next() as u8));
        }
        out
    }

    /// Puts one to three faults in.
    pub(crate) fn spoil(&mut self, rng: &mut Rng) {
        for _ in 0..1 + rng.below(3) {
            let count = self.attributes.len();
            let at = rng.below(count);
            let Some((flags, _, value)) = self.attributes.get_mut(at) else { return };
            match rng.below(10) {
                0 => *flags ^= 0x80 >> rng.below(8),
                1 => value.truncate(rng.below(value.len() + 1)),
                2 => value.extend((0..1 + rng.below(5)).map(|_| rng.octet())),
                3 | 4 if !value.is_empty() => {
                    let place = rng.below(value.len());
                    value[place] = rng.octet();
                }
                5 => {
                    let again = self.attributes[at].clone();
                    self.attributes.insert(rng.below(count + 1), again);
                }
                6 => drop(self.attributes.remove(at)),
                7 => self.foreign(rng),
                8 => {
                    let (flags, code) =
                        [(TRANSITIVE, 5), (OPTIONAL, 9), (OPTIONAL, 10), (0xc0, 17), (0xc0, 18)]
                            [rng.below(5)];
                    self.attributes.push((flags, code, vec![1; rng.below(10)]));
                }
                _ => {
                    let field = if rng.below(2) == 0 { &mut self.nlri } else { &mut self.withdrawn };
                    let place = rng.below(field.len());
                    if let Some(octet) = field.get_mut(place) {
                        *octet = rng.octet();
                    }
                }
            }
        }
    }

    fn foreign(&mut self, rng: &mut Rng) {
        let (flags, code) = FOREIGN[rng.below(FOREIGN.len())];
        let value = (0..rng.below(20)).map(|_| rng.octet()).collect();
        self.attributes.push((flags, code, value));
    }

    /// The body of the UPDATE.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut attributes = Vec::new();
        for (flags, code, value) in &self.attributes {
            let [high, low] = (value.len() as u16).to_be_bytes();
            if flags & EXTENDED_LENGTH != 0 || high > 0 {
                attributes.extend([flags | EXTENDED_LENGTH, *code, high, low]);
            } else {
                attributes.extend([*flags, *code, low]);
            }
            attributes.extend(value);
        }
        let length = |field: &[u8]| (field.len() as u16).to_be_bytes();
        [&length(&self.withdrawn)[..], &self.withdrawn, &length(&attributes), &attributes, &self.nlri]
            .concat()
    }
}
