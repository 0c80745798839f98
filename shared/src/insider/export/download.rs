//! The download of an export: from the network to the rows, a few pieces at a time.

use std::io::{self, Read};

use futures::Stream;
use tokio::sync::mpsc;

use super::{ExportError, Link, Shown, columns, rows};
use crate::insider::client::{Client, InsiderError};

/// Pieces of the file that wait for being read.
const PIECES: usize = 4;
/// Profiles that wait for being taken.
const PROFILES: usize = 256;

impl Client {
    /// Reads an export's profiles. The stream ends after the first error. Who stops taking stops the
    /// download; who takes slowly slows it down.
    pub async fn export(&self, link: &Link) -> Result<impl Stream<Item = Result<Shown, ExportError>> + use<>, ExportError> {
        if self.now() >= link.until {
            return Err(ExportError::Expired);
        }
        let url = link.url.parse().map_err(|_| ExportError::NoLink)?;
        let mut response = self.download(url).await?;
        match response.status().as_u16() {
            200..300 => {}
            // Insider does not say how a file is refused that is not there yet. Within the link's day it
            // is worth asking again, after it nothing is.
            403 | 404 => return Err(ExportError::NotReady),
            410 => return Err(ExportError::Expired),
            status => return Err(InsiderError::Unanswered { why: format!("export: status {status}") }.into()),
        }
        let (pieces, incoming) = mpsc::channel(PIECES);
        tokio::spawn(async move {
            loop {
                let piece = match response.chunk().await {
                    Ok(Some(piece)) => Ok(piece.to_vec()),
                    Ok(None) => return,
                    Err(_) => Err(io::Error::other("broken off")),
                };
                let broken = piece.is_err();
                if pieces.send(piece).await.is_err() || broken {
                    return;
                }
            }
        });
        let (outgoing, mut profiles) = mpsc::channel(PROFILES);
        let (format, columns) = (link.format, columns(self));
        tokio::task::spawn_blocking(move || {
            let file = Pieces { incoming, piece: io::Cursor::default() };
            let ended = rows::read(format, file, &columns, &mut |shown| outgoing.blocking_send(Ok(shown)).is_ok());
            if let Err(error) = ended {
                // Nobody may be there any more to hear of it.
                outgoing.blocking_send(Err(error)).ok();
            }
        });
        Ok(futures::stream::poll_fn(move |context| profiles.poll_recv(context)))
    }
}

/// What comes in, as a reader on a thread of its own.
struct Pieces {
    incoming: mpsc::Receiver<io::Result<Vec<u8>>>,
    piece: io::Cursor<Vec<u8>>,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.incoming.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece?),
                None => return Ok(0),
            }
        }
    }
}
