//! What held work waits for, and how to say it to people.

use serde::{Deserialize, Serialize};

use super::Words;
use crate::consent::Target;

/// What a person has to change before the brand's work can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// What the API user may do: brand, channel or method.
    Authority,
    /// The service provider's or business partner's subscription.
    Subscription,
    /// The number of addresses that the package may store.
    Quota,
    /// A number or address in the brand's configuration.
    Configuration,
    /// The API user's name or password.
    Credentials,
}

impl Hold {
    /// The word used in items, answers and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Subscription => "subscription",
            Self::Quota => "quota",
            Self::Configuration => "configuration",
            Self::Credentials => "credentials",
        }
    }

    /// What happened, where the target's answer names no code that says it better.
    #[must_use]
    pub const fn cause(self, target: Target) -> Words {
        match (target, self) {
            (Target::Registry, Hold::Authority) => Words {
                en: "The brand's configuration does not list this channel, or the API user lacks the authority for it at İYS.",
                tr: "Bu kanal marka yapılandırmasında yok veya API kullanıcısının İYS'de bu kanal için yetkisi yok.",
            },
            (Target::Registry, Hold::Subscription) => Words {
                en: "The İYS subscription does not allow this now.", //
                tr: "İYS aboneliği şu an buna izin vermiyor.",
            },
            (Target::Registry, Hold::Quota) => {
                Words { en: "The package's number of stored addresses is used up.", tr: "Paketin saklanabilir adres sayısı doldu." }
            }
            (Target::Registry, Hold::Configuration) => Words {
                en: "İYS does not accept a number or an address in the brand's configuration.",
                tr: "İYS marka yapılandırmasındaki bir numarayı veya adresi kabul etmedi.",
            },
            (Target::Registry, Hold::Credentials) => Words {
                en: "İYS does not accept the API user's name and password.",
                tr: "İYS API kullanıcı adını ve parolasını kabul etmedi.",
            },
            (Target::Insider, Hold::Credentials) => Words {
                en: "Insider does not accept the partner name or the key of this API.",
                tr: "Insider ortak adını (partner) veya bu API'nin anahtarını kabul etmedi.",
            },
            (Target::Insider, _) => Words {
                en: "Insider cannot be called with what the brand's configuration says.",
                tr: "Insider, marka yapılandırmasındaki değerlerle çağrılamıyor.",
            },
        }
    }

    /// What to do about it; the waiting work then goes on by itself.
    #[must_use]
    pub const fn remedy(self, target: Target) -> Words {
        match (target, self) {
            (Target::Registry, Hold::Authority) => Words {
                en: "Grant the API user the channel in İYS Web and list it under iys.channels in the brand's configuration.",
                tr: "Kanal yetkisini İYS Web'de API kullanıcısına verin ve marka yapılandırmasında iys.channels altına ekleyin.",
            },
            (Target::Registry, Hold::Subscription) => Words {
                en: "Renew or change the subscription in İYS Web.", //
                tr: "Aboneliği İYS Web'de yenileyin veya değiştirin.",
            },
            (Target::Registry, Hold::Quota) => Words {
                en: "Choose a larger package in İYS Web or allow exceeding it.",
                tr: "İYS Web'de daha büyük bir paket seçin veya aşıma izin verin.",
            },
            (Target::Registry, Hold::Configuration) => Words {
                en: "Compare the İYS numbers in the brand's configuration with those in İYS Web.",
                tr: "Marka yapılandırmasındaki İYS numaralarını İYS Web'dekilerle karşılaştırın.",
            },
            (Target::Registry, Hold::Credentials) => Words {
                en: "Compare the API user's name and password in the brand's configuration with İYS Web.",
                tr: "Marka yapılandırmasındaki API kullanıcı adını ve parolasını İYS Web'dekiyle karşılaştırın.",
            },
            (Target::Insider, _) => Words {
                en: "Compare insider.partner and insider.keys in the brand's configuration with Insider's panel.",
                tr: "Marka yapılandırmasındaki insider.partner ve insider.keys değerlerini Insider panelindekilerle karşılaştırın.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hold_says_at_either_target_what_happened_and_what_to_do_in_both_languages() {
        for target in Target::ALL {
            for hold in [Hold::Authority, Hold::Subscription, Hold::Quota, Hold::Configuration, Hold::Credentials] {
                for Words { en, tr } in [hold.cause(target), hold.remedy(target)] {
                    assert!(en.ends_with('.') && tr.ends_with('.') && en != tr, "{en} {tr}");
                    assert!(en.chars().count() <= 160 && tr.chars().count() <= 160, "{en} {tr}");
                }
            }
        }
    }
}
