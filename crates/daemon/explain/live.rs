//! Explaining what the running router holds: it is asked, and answers with explanations.

use std::path::Path;

use super::ExplainError;
use super::explanation::Explanation;
use crate::control::answer::Line;
use crate::control::client::{Answer, AskError, Heard};
use crate::control::request::{ExplainRequest, Request};

/// What the router says, the best path first.
pub(super) fn explain(socket: &Path, request: ExplainRequest) -> Result<Vec<Explanation>, ExplainError> {
    let mut answer = Answer::to(&Request::Explain(request), socket)?;
    let mut explanations = Vec::new();
    loop {
        match answer.next()? {
            Heard::Line(Line::Explanation(explanation)) => explanations.push(*explanation),
            Heard::Line(_) => return Err(AskError::Strange("it is about something else".into()).into()),
            Heard::End(_) => return Ok(explanations),
        }
    }
}
