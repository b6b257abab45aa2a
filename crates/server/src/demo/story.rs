//! The story: what a recipient gets, what it does not, and what the person sees of it. Every act is a call of the
//! public interface, printed as the line that repeats it.

mod changes;
mod citizen;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    call::{Call, Who, quoted},
    cast::{self, BANK, Cast, MUNICIPALITY, RECIPIENTS, RESEARCHER, Recipient},
    nation::Nation,
    operator_token,
    state::{Loaded, State},
    tell::Teller,
};
use crate::{
    client::Client,
    commands::{Done, Failure},
    serve::Running,
};

/// Producer connections that deliver in the story: client id and shell variable of the token.
const PROVIDERS: [(&str, &str); 2] = [("fpr_person", "FPR"), ("ur_enterprise", "UR")];

pub struct Story {
    /// As the reader named it: the lines to paste use it.
    data: PathBuf,
    base: String,
    nation: Arc<Nation>,
    cast: Cast,
    state: State,
    teller: Teller,
    /// By shell variable; the operator's and nobody's under the empty name.
    clients: BTreeMap<&'static str, Client>,
    operator: Client,
}

impl Story {
    pub fn new(
        data: &Path,
        running: &Running,
        nation: &Arc<Nation>,
        state: State,
        teller: Teller,
    ) -> Result<Self, Failure> {
        let base = running.public_url.clone();
        let signed = |client_id: &str| -> Result<Client, Failure> {
            let path = data.join("demo/keys").join(format!("{client_id}.pem"));
            let key = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
            Ok(Client::connection(&base, client_id, &key)?)
        };
        let mut clients = BTreeMap::from([("", Client::anonymous(&base)?)]);
        for Recipient {
            client_id, variable, ..
        } in RECIPIENTS
        {
            clients.insert(variable, signed(client_id)?);
        }
        for (client_id, variable) in PROVIDERS {
            clients.insert(variable, signed(client_id)?);
        }
        let operator = super::office(running)?.operator;
        Ok(Self {
            data: data.to_owned(),
            cast: Cast::of(nation),
            nation: nation.clone(),
            base,
            state,
            teller,
            clients,
            operator,
        })
    }

    pub fn loaded(&self) -> Loaded {
        self.state.loaded.unwrap_or_default()
    }

    pub async fn tell(&mut self) -> Done {
        self.tokens().await?;
        self.look_up().await?;
        self.two_views().await?;
        self.refusals().await?;
        self.quota().await?;
        self.changes().await?;
        self.citizen().await?;
        self.open_data().await?;
        self.state.tellings += 1;
        self.state.save()
    }

    fn permission(&self, name: &str) -> &str {
        self.state.permissions.get(name).map_or("0", String::as_str)
    }

    /// Prints the line, makes the call, shows the answer.
    async fn act(&self, call: Call) -> Result<(u16, Value), Failure> {
        self.teller.command(&call.curl());
        let (status, answer) = self.make(&call).await?;
        self.teller.answer(status, &answer);
        Ok((status, answer))
    }

    async fn make(&self, call: &Call) -> Result<(u16, Value), Failure> {
        let client = match &call.who {
            Who::Nobody => self.clients.get(""),
            Who::Recipient(recipient) => self.clients.get(recipient.variable),
            Who::Provider(variable) => self.clients.get(variable),
            Who::Operator(_) => Some(&self.operator),
        };
        call.send(client.unwrap_or(&self.operator)).await
    }

    async fn tokens(&self) -> Done {
        self.teller.chapter(
            1,
            "Katrs pierakstās ar savu atslēgu un saņem pilnvaru uz stundu.",
            "Everybody signs in with a key of its own and gets a token for an hour.",
        );
        let program = std::env::current_exe().unwrap_or_else(|_| "dagr".into());
        let here = std::env::current_dir().unwrap_or_default();
        let program = match program.strip_prefix(&here) {
            Ok(below) => format!("./{}", below.display()),
            Err(_) => program.display().to_string(),
        };
        self.teller.command(&format!("U={}", self.base));
        self.teller.command(&format!("DAGR={}", quoted(&program)));
        let recipients = RECIPIENTS.map(|recipient| (recipient.client_id, recipient.variable));
        for (client_id, variable) in recipients.into_iter().chain(PROVIDERS) {
            let key = self.data.join("demo/keys").join(format!("{client_id}.pem"));
            let key = quoted(&key.display().to_string());
            self.teller.command(&format!(
                "{variable}=$(\"$DAGR\" token --server $U --client-id {client_id} --key {key})"
            ));
            if let Some(client) = self.clients.get(variable) {
                client.token().await?;
            }
        }
        Ok(())
    }

    async fn look_up(&self) -> Done {
        let citizen = &self.cast.citizen;
        self.teller.chapter(
            2,
            &format!(
                "Pašvaldība uzmeklē savu iedzīvotāju ({} {}): redz sešus laukus, ne vairāk.",
                citizen.name, citizen.surname
            ),
            "The municipality looks up a resident: it sees six fields and no more.",
        );
        let number = self.permission(cast::RESIDENTS);
        self.act(person(MUNICIPALITY, &citizen.code, None).under(number))
            .await?;
        self.teller.say(
            "Kas nedzīvo šajā pašvaldībā, tai neeksistē: atbilde ir tāda pati kā par cilvēku, kura nav.",
            "Who lives elsewhere does not exist for it: the answer is the one for a person who is not there.",
        );
        self.act(person(MUNICIPALITY, &self.cast.stranger.code, None).under(number))
            .await?;
        Ok(())
    }

    async fn two_views(&self) -> Done {
        let enterprise = &self.cast.enterprise;
        self.teller.chapter(
            3,
            &format!(
                "Vienu un to pašu ierakstu ({}) katrs redz citādi: banka ar amatpersonām…",
                enterprise.name
            ),
            "The same record as two recipients see it: the bank with the officers…",
        );
        let path = format!("/data/ur_enterprise/records/{}", enterprise.registration_number);
        let bank = Call::get(Who::Recipient(BANK), path.clone());
        self.act(bank.under(self.permission(cast::BANK_ENTERPRISES)))
            .await?;
        self.teller.say(
            "…pētnieks bez nevienas personas.",
            "…the researcher without any person.",
        );
        let researcher = Call::get(Who::Recipient(RESEARCHER), path);
        self.act(researcher.under(self.permission(cast::RESEARCH_ENTERPRISES)))
            .await?;
        Ok(())
    }

    async fn refusals(&self) -> Done {
        self.teller.chapter(
            4,
            "Banka prasa dzimšanas datumu, ko atļauja nedod: atteikts, un nekas nav izpausts.",
            "The bank asks for the date of birth, which its permission does not give: refused, nothing disclosed.",
        );
        let number = self.permission(cast::CUSTOMERS);
        let fields = json!(["PersonCode", "BornOn"]);
        self.act(person(BANK, &self.cast.citizen.code, Some(fields)).under(number))
            .await?;
        self.teller.say(
            "To pašu var pajautāt iepriekš; skaidrojums ierakstu nelasa.",
            "The same can be asked beforehand; the explanation reads no record.",
        );
        let path = format!("/registry/permissions/{number}/explain?way=key&fields=BornOn");
        let call = Call::get(Who::Recipient(BANK), path);
        self.teller.command(&call.curl());
        let (status, answer) = self.make(&call).await?;
        let short = json!({ "answer": answer["answer"], "code": answer["code"] });
        self.teller.answer(status, &short);
        Ok(())
    }

    async fn quota(&self) -> Done {
        self.teller.chapter(
            5,
            "Bankas klientu pārbaudei ir trīs lietojumi. Ceturto reizi atbildes nav.",
            "The bank's customer check has three uses. There is no fourth answer.",
        );
        let number = self.permission(cast::CUSTOMERS);
        let call = person(BANK, &self.cast.citizen.code, None).under(number);
        self.teller.command(&call.curl());
        for attempt in 1..=4 {
            let (status, answer) = self.make(&call).await?;
            let shown = if status < 400 {
                json!({ "found": answer["results"][0]["found"] })
            } else {
                answer
            };
            self.teller.answer(status, &shown);
            if status >= 400 && attempt == 1 {
                self.teller.say(
                    "Visi trīs tika izlietoti iepriekš; uzskaite pārdzīvo pārstartēšanu.",
                    "All three were used before; the count survives a restart.",
                );
            }
            if status >= 400 {
                break;
            }
        }
        Ok(())
    }

    async fn open_data(&self) -> Done {
        self.teller.chapter(
            8,
            "Adreses ir atvērti dati: bez pilnvaras, pa vienai vai visas vienā failā.",
            "Addresses are open data: no token, one by one or all in a file.",
        );
        let code = &self.cast.citizen.address_code;
        let path = format!("/data/var_address/records/{code}?fields=Address,PostCode");
        self.act(Call::get(Who::Nobody, path)).await?;
        self.teller
            .command("curl -sS -w '\\n' -r 0-399 \"$U/public/var_address?filename=adreses.csv\"");
        Ok(())
    }

    fn operator(&self) -> Who {
        Who::Operator(operator_token(&self.data))
    }
}

/// A look-up of one person, whose code stays out of the URL.
fn person(recipient: Recipient, code: &str, fields: Option<Value>) -> Call {
    let mut body = json!({ "keys": [{ "PersonCode": code }] });
    if let Some(fields) = fields {
        body["fields"] = fields;
    }
    Call::post(Who::Recipient(recipient), "/data/fpr_person/lookup", body)
}
