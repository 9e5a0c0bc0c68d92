/// A label of a WhatsApp Business account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineLabel {
    /// WhatsApp's id of it: a small number as text.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// WhatsApp's number of its colour, 0 to 19.
    pub color: Option<u8>,
    /// The same as `#RRGGBB`.
    pub color_hex: Option<String>,
}

/// A label to be, or as it shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEngineLabel {
    /// What it is called.
    pub name: String,
    /// WhatsApp's number of its colour, 0 to 19; `None` leaves the choice to WhatsApp.
    pub color: Option<u8>,
}
