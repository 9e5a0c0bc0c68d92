//! Room for large bodies: they are held in memory while they are read and decoded.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use axum::extract::Request;
use axum::http::header;
use mf_domain::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ApiError;

/// Bodies up to this are not counted.
const SMALL: u64 = 256 * 1024;
/// Large bodies at a time, in all and of one tenant: at most some hundred megabytes each.
const ALL: usize = 12;
const OF_ONE: usize = 3;

static ROOM: LazyLock<Room> = LazyLock::new(Room::default);

struct Room {
    all: Arc<Semaphore>,
    /// Of those tenants that are sending something large just now.
    tenants: Mutex<HashMap<TenantId, Weak<Semaphore>>>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(ALL)),
            tenants: Mutex::default(),
        }
    }
}

/// How much room a request may need, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    /// Next to none.
    Small,
    /// Much, or nobody says.
    Large(Option<TenantId>),
}

impl Size {
    pub(crate) fn of(request: &Request) -> Self {
        let length = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length <= SMALL) {
            Self::Small
        } else {
            Self::Large(request.extensions().get::<TenantId>().copied())
        }
    }
}

/// A place for one large body, given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_one: OwnedSemaphorePermit,
}

/// Waits for a place for the body of a request; nothing for a small one.
pub(crate) async fn place(size: Size) -> Result<Option<Place>, ApiError> {
    let tenant = match size {
        Size::Small => return Ok(None),
        Size::Large(tenant) => tenant,
    };
    let of_one = ROOM.of(tenant);
    // The tenant's own place first: who waits for that keeps nobody else waiting.
    let of_one = of_one.acquire_owned().await;
    let of_all = Arc::clone(&ROOM.all).acquire_owned().await;
    match (of_one, of_all) {
        (Ok(of_one), Ok(of_all)) => Ok(Some(Place {
            _of_all: of_all,
            _of_one: of_one,
        })),
        _ => Err(ApiError::unavailable("There is no room for the request", 5)),
    }
}

impl Room {
    fn of(&self, tenant: Option<TenantId>) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        // Those without a tenant share one place.
        let tenant = tenant.unwrap_or_else(|| uuid::Uuid::nil().into());
        if let Some(room) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return room;
        }
        tenants.retain(|_, room| room.strong_count() > 0);
        let room = Arc::new(Semaphore::new(OF_ONE));
        tenants.insert(tenant, Arc::downgrade(&room));
        room
    }
}
