use crate::{Scope, ScopeSet, message::words};

words! {
    /// What a user may do in their tenant.
    Role ("role") {
        /// Everything, the tenant's end included.
        Owner = "owner",
        /// Everything but money and the tenant's end.
        Admin = "admin",
        /// Daily work: reads everything, writes messages, labels and leads.
        Member = "member",
        /// Runs the server: everything, and `/admin`.
        Superadmin = "superadmin",
    }
}

impl Role {
    /// The scopes that a login with this role carries.
    pub fn scopes(self) -> ScopeSet {
        match self {
            Self::Owner | Self::Superadmin => ScopeSet::full(),
            Self::Admin => ScopeSet::every_resource().without(Scope::BillingManage),
            Self::Member => ScopeSet::read_only()
                .with(Scope::MessagesSend)
                .with(Scope::LabelsManage)
                .with(Scope::LeadsManage),
        }
    }
}
