//! Paths: names followed through the definition, from a record or from what a part of an expression gives.

use cel::common::ast::{Expr, IdedExpr, SelectExpr, operators};

use super::{
    check::{Checked, Checker, Side, Slot, call, null},
    shape::Shape,
};
use crate::{fault::nearest, schema::NodeId};

impl Checker<'_> {
    /// `a.b.c`, and `has(a.b.c)`.
    pub fn path(&mut self, expr: IdedExpr) -> Checked {
        let id = expr.id;
        let mut names = Vec::new();
        let mut base = expr;
        let mut test = false;
        while let Expr::Select(select) = base.expr {
            test |= select.test;
            names.push((base.id, select.field));
            base = *select.operand;
        }
        names.reverse();
        let checked = match base.expr {
            Expr::Ident(name) => self.start_at_name(base.id, name, names),
            other => {
                let (base, shape) = self.value(IdedExpr {
                    id: base.id,
                    expr: other,
                });
                self.below(base, shape, &names)
            }
        };
        if test {
            (not_null(id, checked.0), Shape::Bool)
        } else {
            checked
        }
    }

    fn start_at_name(&mut self, id: u64, name: String, mut names: Vec<(u64, String)>) -> Checked {
        if let Some((_, shape)) = self.scope.iter().rev().find(|(known, _)| *known == name) {
            let shape = shape.clone();
            return self.below(
                IdedExpr {
                    id,
                    expr: Expr::Ident(name),
                },
                shape,
                &names,
            );
        }
        if let Some(side) = self.records.iter().position(|known| *known == name) {
            return self.start_at_record(id, side, &names);
        }
        let known_field = self
            .schema
            .roots
            .iter()
            .any(|root| self.schema.nodes[*root].name == name);
        if self.bare && known_field {
            names.insert(0, (id, name));
            return self.start_at_record(id, 0, &names);
        }
        let message = if known_field {
            format!(
                "write {}",
                self.records
                    .iter()
                    .map(|record| format!("{record}.{name}"))
                    .collect::<Vec<_>>()
                    .join(" or ")
            )
        } else {
            let variables = self.scope.iter().map(|(name, _)| name.as_str());
            let fields = self
                .schema
                .roots
                .iter()
                .map(|root| self.schema.nodes[*root].name.as_str());
            let known = self
                .records
                .iter()
                .copied()
                .chain(variables)
                .chain(fields.filter(|_| self.bare));
            unknown(&name, nearest(&name, known))
        };
        (null(id), self.fault(id, message))
    }

    fn start_at_record(&mut self, id: u64, side: Side, names: &[(u64, String)]) -> Checked {
        let mut path = Vec::new();
        let mut children = &self.schema.roots;
        let mut shape = Shape::Record;
        let mut used = 0;
        for (name_id, name) in names {
            let Some(node) = self.child(*name_id, children, name) else {
                return (null(id), Shape::Any);
            };
            path.push(node);
            used += 1;
            shape = Shape::of(self.schema, node);
            if !matches!(shape, Shape::Object(_)) {
                break;
            }
            children = &self.schema.nodes[node].children;
        }
        if self.loops > 0 && matches!(shape, Shape::List(_)) {
            let message = "another list is read again for each element: no list of the record inside exists, all, filter or map";
            return (null(id), self.fault(id, message));
        }
        let slot = Slot { side, path };
        let at = self
            .slots
            .iter()
            .position(|known| *known == slot)
            .unwrap_or_else(|| {
                self.slots.push(slot);
                self.slots.len() - 1
            });
        self.below(
            IdedExpr {
                id,
                expr: Expr::Ident(format!("${at}")),
            },
            shape,
            &names[used..],
        )
    }

    /// `names` selected on a checked part.
    fn below(&mut self, base: IdedExpr, shape: Shape, names: &[(u64, String)]) -> Checked {
        let Some((first_id, first)) = names.first() else {
            return (base, shape);
        };
        match shape {
            Shape::Object(node) => {
                let mut node = node;
                let mut dotted = Vec::new();
                for (at, (id, name)) in names.iter().enumerate() {
                    let schema = self.schema;
                    let Some(child) = self.child(*id, &schema.nodes[node].children, name) else {
                        return (null(*id), Shape::Any);
                    };
                    dotted.push(name.as_str());
                    node = child;
                    let shape = Shape::of(schema, node);
                    if !matches!(shape, Shape::Object(_)) {
                        return self.below(select(*id, base, dotted.join(".")), shape, &names[at + 1..]);
                    }
                }
                (select(*first_id, base, dotted.join(".")), Shape::Object(node))
            }
            Shape::Any => {
                let selected = names
                    .iter()
                    .fold(base, |base, (id, name)| select(*id, base, name.clone()));
                (selected, Shape::Any)
            }
            Shape::List(_) => {
                let message = format!(
                    "a list has no {first}: ask its elements, for example list.exists(x, x.{first} == …)"
                );
                (null(*first_id), self.fault(*first_id, message))
            }
            other => {
                let message = format!("{} has no field {first}", other.name());
                (null(*first_id), self.fault(*first_id, message))
            }
        }
    }

    fn child(&mut self, id: u64, children: &[NodeId], name: &str) -> Option<NodeId> {
        let nodes = &self.schema.nodes;
        let found = children.iter().copied().find(|child| nodes[*child].name == name);
        if found.is_none() {
            let message = unknown(
                name,
                nearest(name, children.iter().map(|child| nodes[*child].name.as_str())),
            );
            self.fault(id, message);
        }
        found
    }
}

fn unknown(name: &str, near: Option<&str>) -> String {
    near.map_or_else(
        || format!("unknown name {name}: name a field of the definition"),
        |near| format!("unknown name {name}: did you mean {near}?"),
    )
}

fn select(id: u64, operand: IdedExpr, field: String) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Select(SelectExpr {
            operand: Box::new(operand),
            field,
            test: false,
        }),
    }
}

fn not_null(id: u64, expr: IdedExpr) -> IdedExpr {
    call(id, operators::NOT_EQUALS, vec![expr, null(id)])
}
