//! Prometheus text. <https://prometheus.io/docs/instrumenting/exposition_formats/>

use serde_json::Value;

/// Gauges of one feed or replica.
pub struct Gauges {
    /// Begins each name.
    prefix: &'static str,
    label: String,
    text: String,
}

impl Gauges {
    /// `name` is a feed's or a replica's: plain letters.
    pub fn of(prefix: &'static str, label: &str, name: &Value) -> Self {
        Self {
            prefix,
            label: format!("{{{label}=\"{}\"}}", name.as_str().unwrap_or_default()),
            text: String::new(),
        }
    }

    /// A number, a truth value or a time (seconds since 1970); nothing where there is none.
    pub fn put(&mut self, name: &str, help: &str, value: &Value) {
        let moment = |text: &str| {
            let at: Option<jiff::Timestamp> = text.parse().ok();
            at.map(|at| at.as_second() as f64)
        };
        let number = match value {
            Value::Bool(truth) => Some(f64::from(*truth)),
            Value::String(text) => moment(text),
            other => other.as_f64(),
        };
        let Some(number) = number else { return };
        let name = format!("{}_{name}", self.prefix);
        self.text.push_str(&format!(
            "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{} {number}\n",
            self.label
        ));
    }

    pub fn text(self) -> String {
        self.text
    }
}
