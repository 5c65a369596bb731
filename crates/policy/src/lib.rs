//! The judge: origin validation, IRR, roles, bogons and the reasons they give.
