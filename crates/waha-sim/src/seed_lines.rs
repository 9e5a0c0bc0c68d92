//! What was said before the account was paired.

/// What somebody sent.
pub(crate) enum Says {
    Text(&'static str),
    /// With this caption.
    Picture(&'static str),
    Voice,
    Place,
    Card,
    Poll,
}

use Says::{Card, Picture, Place, Poll, Text, Voice};

/// Minutes before the pairing, who (nobody is the account itself), and what.
pub(crate) type Line = (i64, Option<usize>, Says);

/// Somebody: id, what they call themselves, and their name in the address book.
pub(crate) type Someone = (&'static str, &'static str, Option<&'static str>);

pub(crate) const PEOPLE: [Someone; 7] = [
    ("15550100101@c.us", "Maria Oliveira", Some("Maria Oliveira")),
    ("15550100102@c.us", "Tom", Some("Tom Baker")),
    ("15550100103@c.us", "Carlos Ruiz", None),
    // Nobody is told the number behind this one.
    ("98765432104321@lid", "Nina", None),
    ("15550100105@c.us", "Beatriz", None),
    ("15550100106@c.us", "Jorge", None),
    ("15550100107@c.us", "Emma W.", None),
];

const DAY: i64 = 24 * 60;

/// The chats with one person, by the place in [`PEOPLE`].
pub(crate) const CHATS: [(usize, &[Line]); 4] = [
    (
        0,
        &[
            (
                3 * DAY + 300,
                Some(0),
                Text("Oi! Vocês ainda têm a cadeira de madeira?"),
            ),
            (
                3 * DAY + 280,
                None,
                Text("Oi Maria, temos sim. Custa 120, entrega incluída."),
            ),
            (
                3 * DAY + 270,
                Some(0),
                Text("Perfeito, quero comprar duas. Aceitam Pix?"),
            ),
            (
                3 * DAY + 262,
                None,
                Text("Aceitamos. Mando os dados hoje à tarde."),
            ),
            (2 * DAY + 60, Some(0), Picture("Ficaram lindas na sala")),
            (2 * DAY + 50, None, Text("Que bom! Obrigado pela foto.")),
        ],
    ),
    (
        1,
        &[
            (
                2 * DAY + 600,
                Some(1),
                Text("Morning! How much would you charge for 20 mugs with our logo?"),
            ),
            (
                2 * DAY + 570,
                None,
                Text("Hi Tom, 20 mugs would be 9 each, ready within a week."),
            ),
            (
                DAY + 400,
                Some(1),
                Text("Sounds good, can you send me an invoice?"),
            ),
            (DAY + 390, Some(1), Place),
            (
                DAY + 380,
                None,
                Text("Thanks, I'll deliver them there. Invoice is on its way."),
            ),
        ],
    ),
    (
        2,
        &[
            (
                DAY + 200,
                Some(2),
                Text("Buenas, ¿hacen envíos a Valencia?"),
            ),
            (DAY + 190, None, Text("Sí, tardan dos días.")),
            (DAY + 180, Some(2), Voice),
            (
                DAY + 170,
                None,
                Text("Entendido, te reservo una hasta el viernes."),
            ),
        ],
    ),
    (
        3,
        &[
            (700, Some(3), Text("Hello, a friend gave me this number")),
            (690, Some(3), Text("Do you also repair bicycles?")),
            (640, None, Text("Hi! We do, bring it by any weekday.")),
            (90, Some(3), Text("Great, is tomorrow at ten okay?")),
        ],
    ),
];

/// A group: what it is called and about, whether members are known by hidden ids, who is in it,
/// and what was said.
pub(crate) struct Talk {
    pub(crate) subject: &'static str,
    pub(crate) description: &'static str,
    pub(crate) by_lid: bool,
    pub(crate) members: &'static [usize],
    pub(crate) lines: &'static [Line],
}

pub(crate) const TALKS: [Talk; 2] = [
    Talk {
        subject: "Bikes: buy & sell",
        description: "Compra, venta e troca de bicicletas. Be kind.",
        by_lid: false,
        members: &[2, 4, 5, 6],
        lines: &[
            (
                4 * DAY + 100,
                Some(4),
                Text("Alguém vendendo uma bicicleta aro 29? Pago até 900 hoje mesmo."),
            ),
            (
                4 * DAY + 85,
                Some(5),
                Text("Yo busco una urbana, presupuesto 250 euros. ¿Alguien tiene?"),
            ),
            (
                3 * DAY + 500,
                Some(6),
                Text("Selling a city bike, barely used, 240. Pictures on request."),
            ),
            (
                3 * DAY + 480,
                Some(5),
                Text("¡Me interesa! ¿Todavía está disponible?"),
            ),
            (
                3 * DAY + 470,
                Some(6),
                Text("Yes, still available. Where are you?"),
            ),
            (
                3 * DAY + 200,
                None,
                Text("We can check the brakes for free before you buy."),
            ),
            (
                2 * DAY + 30,
                Some(2),
                Text("¿Cuánto cuesta una revisión completa?"),
            ),
            (DAY + 900, Some(6), Poll),
            (
                DAY + 20,
                Some(4),
                Text("Consegui a minha, obrigada pessoal!"),
            ),
        ],
    },
    Talk {
        subject: "Suppliers & friends",
        description: "Who can deliver what, and when",
        by_lid: true,
        members: &[0, 1, 5],
        lines: &[
            (
                2 * DAY + 800,
                Some(1),
                Text(
                    "Does anybody know a good printer for boxes? I need 500 by the end of the month.",
                ),
            ),
            (2 * DAY + 780, Some(0), Card),
            (
                2 * DAY + 770,
                Some(1),
                Text("Thank you! What do they charge?"),
            ),
            (
                2 * DAY + 500,
                Some(5),
                Text("Nosotros pagamos 0,80 por caja, muy contentos."),
            ),
            (
                DAY + 600,
                None,
                Text("I would take 200 as well if we order together."),
            ),
            (
                300,
                Some(0),
                Text("Boa ideia, também quero entrar nesse pedido. Qual o prazo?"),
            ),
        ],
    },
];

/// Labels: name, color, and the chats of [`CHATS`] they are on.
pub(crate) const LABELS: [(&str, u8, &[usize]); 3] = [
    ("New customer", 0, &[2, 3]),
    ("Order placed", 5, &[0]),
    ("Waiting for payment", 2, &[1]),
];
