//! A program that does not name the elements: there are none, and who asks for one is told why.

use gst_mini_core::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = registry().builtin().len();
    let Err(error) = make("fakesink", None) else { return Err("there is a fakesink".into()) };
    let told = error.to_string();
    let wanted = "the program must call gst_mini_elements::register()";
    match (count, told.contains(wanted)) {
        (0, true) => Ok(()),
        _ => Err(format!("{count} elements; {told}").into()),
    }
}
