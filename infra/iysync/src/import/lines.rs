//! Text whose every line ends alike: with one `\n`, the last one, too. So lines can be counted by their ends.

use std::io::{self, Read};

/// How much is read at once.
const PIECE: usize = 1 << 13;

/// A reader that ends lines so.
pub(crate) struct Lines<R> {
    inner: R,
    piece: Box<[u8]>,
    /// What is handed on next.
    ready: Vec<u8>,
    /// How much of that is handed on already.
    taken: usize,
    /// A `\r` whose next letter has not come yet.
    has_return: bool,
    last: u8,
    is_over: bool,
}

impl<R> Lines<R> {
    pub(crate) fn of(inner: R) -> Self {
        Self { inner, piece: vec![0; PIECE].into(), ready: Vec::new(), taken: 0, has_return: false, last: b'\n', is_over: false }
    }

    fn put(&mut self, byte: u8) {
        self.ready.push(byte);
        self.last = byte;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.is_over {
            (self.taken, self.is_over) = (0, false);
            self.ready.clear();
            let read = self.inner.read(&mut self.piece)?;
            for at in 0..read {
                let byte = self.piece[at];
                if std::mem::take(&mut self.has_return) && byte != b'\n' {
                    self.put(b'\r');
                }
                if byte == b'\r' {
                    self.has_return = true;
                } else {
                    self.put(byte);
                }
            }
            if read == 0 {
                self.is_over = true;
                let ends_open = std::mem::take(&mut self.has_return) || self.last != b'\n';
                if ends_open {
                    self.put(b'\n');
                }
            }
        }
        let rest = &self.ready[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands a text on in pieces.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(text: &str, size: usize) -> String {
        io::read_to_string(Lines::of(Pieces(text.as_bytes(), size))).unwrap()
    }

    #[test]
    fn every_line_ends_with_one_sign() {
        for (text, lines) in
            [("a\r\nb\r\n", "a\nb\n"), ("a\nb", "a\nb\n"), ("a\rb\r", "a\rb\n"), ("a\r\r\n", "a\r\n"), ("", ""), ("\r\n\r\n", "\n\n")]
        {
            assert_eq!(read(text, 3), lines, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_in_which_pieces_it_comes(text in "[ab\r\n]{0,40}", size in 1usize..6) {
            let mut expected = text.replace("\r\n", "\n");
            if expected.ends_with('\r') {
                expected.pop();
                expected.push('\n');
            } else if !expected.is_empty() && !expected.ends_with('\n') {
                expected.push('\n');
            }
            prop_assert_eq!(read(&text, size), expected);
        }
    }
}
