//! A process that holds the plugins of one project and answers calls.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::error::{PluginError, PluginErrorKind, PluginFrame};
use crate::offered::{Callee, Offered};
use crate::process::{HostProcess, NoReply};
use crate::reads::PluginReads;
use crate::value::{Handle, PluginValue};
use crate::wire::{WireError, WireReader, WireWriter, number};

/// The script that Python runs. It is handed over as an argument, so that nothing is written.
const SCRIPT: &str = concat!(
    include_str!("python/wire.py"),
    include_str!("python/reads.py"),
    include_str!("python/jinja2_stub.py"),
    include_str!("python/makejinja_stub.py"),
    include_str!("python/plugins.py"),
    include_str!("python/serve.py"),
);

/// How many items `iterate` takes at most.
const MOST_ITEMS: u32 = 1_000_000;
/// How long a process that is out of time may take to say where it is.
const TELL_WHERE: Duration = Duration::from_secs(1);

/// What a host process is started with.
pub struct HostSpec {
    /// The command that runs Python: `["python3"]`, or `["uv", "run", "python"]`.
    pub command: Vec<String>,
    /// The folder in which it runs: the one of `makejinja.toml`, unless the user is elsewhere.
    pub folder: PathBuf,
    /// What makejinja adds to `sys.path`.
    pub import_paths: Vec<PathBuf>,
    /// The classes of plugins, as `module:Class`, `plugins` before `loaders`.
    pub plugins: Vec<String>,
    /// The configuration as plugins see it: a mapping of makejinja's options, with absolute paths as
    /// [`PluginValue::Path`] and `undefined` as the name of the mode.
    pub config: PluginValue,
    /// The data as they are loaded, before any plugin.
    pub data: PluginValue,
    /// All of the environment that the process gets; that of this process, if there is none.
    pub environment: Option<Vec<(String, String)>>,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How long Python may take to start and to load all plugins.
    pub start_timeout: Duration,
}

impl fmt::Debug for HostSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HostSpec")
            .field("command", &self.command)
            .field("folder", &self.folder)
            .field("plugins", &self.plugins)
            .finish_non_exhaustive()
    }
}

/// A running process with the plugins of a project.
///
/// Plugins run with the rights of the user: starting one runs code of the project. The process ends with its
/// descendants when this is dropped, when a call takes too long, and when the process that holds this ends; one that
/// left its process group is not reached. Arguments are copies: a function that changes one changes nothing here, and
/// what it changes in the data after they were offered is not seen.
pub struct PluginHost {
    process: HostProcess,
    command: String,
    call_timeout: Duration,
    reads: PluginReads,
    prints: u64,
    is_over: bool,
}

impl fmt::Debug for PluginHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PluginHost")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

impl PluginHost {
    /// Starts Python and loads the plugins in the order and by the rules of makejinja 2.9: constructor arguments by
    /// name, then `globals`, `functions`, `data`, `extensions`, `filters`, `tests` and `policies` of each plugin, then
    /// the path filters of all.
    ///
    /// Python finds a stand-in for `makejinja`, and one for `jinja2` where that is not installed. Its caches are read
    /// and not written. Hashes have no random seed, and text files are UTF-8 unless plugins say otherwise.
    ///
    /// # Errors
    ///
    /// Fails if the command cannot be started, if a plugin cannot be imported or raises an exception, or if that takes
    /// longer than `start_timeout`.
    pub fn start(spec: &HostSpec) -> Result<(Self, Offered), PluginError> {
        let mut process = start_process(spec)?;
        process.send(start_request(spec).map_err(|error| refused("the data", &error))?);
        let mut host = Self {
            process,
            command: spec.command.join(" "),
            call_timeout: spec.call_timeout,
            reads: PluginReads::default(),
            prints: 0,
            is_over: false,
        };
        let answer = host.answer("the plugins", spec.start_timeout)?;
        let mut offered = Offered::read(&answer)
            .ok_or_else(|| PluginError::new(PluginErrorKind::Protocol, "Python sent no offer"))?;
        offered.printed = host.printed();
        Ok((host, offered))
    }

    /// Calls a function that was offered. One that asks for Jinja2's context sees the globals alone.
    ///
    /// # Errors
    ///
    /// Fails if the function raises an exception, takes longer than `call_timeout`, or returns what cannot be sent.
    pub fn call(
        &mut self,
        callee: &Callee,
        arguments: &[PluginValue],
        named: &[(String, PluginValue)],
    ) -> Result<PluginValue, PluginError> {
        self.call_id(&callee.name, callee.id, None, arguments, named)
    }

    /// Calls a function that was offered and asks for Jinja2's context: `variables` are those that are seen where it is
    /// called, besides the globals.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn call_in_context(
        &mut self,
        callee: &Callee,
        variables: &PluginValue,
        arguments: &[PluginValue],
        named: &[(String, PluginValue)],
    ) -> Result<PluginValue, PluginError> {
        self.call_id(&callee.name, callee.id, Some(variables), arguments, named)
    }

    /// Calls an object that stays in Python, as a bound method is.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn call_handle(
        &mut self,
        handle: &Handle,
        arguments: &[PluginValue],
        named: &[(String, PluginValue)],
    ) -> Result<PluginValue, PluginError> {
        self.call_id(&handle.type_name, handle.id, None, arguments, named)
    }

    fn call_id(
        &mut self,
        name: &str,
        id: u64,
        context: Option<&PluginValue>,
        arguments: &[PluginValue],
        named: &[(String, PluginValue)],
    ) -> Result<PluginValue, PluginError> {
        let what = format!("`{name}`");
        let request = call_request(id, context, arguments, named);
        let request =
            request.map_err(|error| refused(&format!("an argument of {what}"), &error))?;
        self.ask(&what, request)
    }

    /// Reads `object.name` as a template does: the attribute, else the item, else an undefined value. Operators are
    /// attributes too: `__eq__`, `__contains__`, `__len__`.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn attribute(&mut self, handle: &Handle, name: &str) -> Result<PluginValue, PluginError> {
        let what = format!("`{}.{name}`", handle.type_name);
        self.ask_object(&what, "attribute", handle, ("name", &name.into()))
    }

    /// Reads `object[key]` as a template does: the item, else the attribute, else an undefined value.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn item(&mut self, handle: &Handle, key: &PluginValue) -> Result<PluginValue, PluginError> {
        let what = format!("an item of `{}`", handle.type_name);
        self.ask_object(&what, "item", handle, ("key", key))
    }

    /// Returns the items of an object in its order, of a mapping the keys. A generator is used up by it.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`], and if there are more than a million items.
    pub fn iterate(&mut self, handle: &Handle) -> Result<Vec<PluginValue>, PluginError> {
        let what = format!("the items of `{}`", handle.type_name);
        let at_most = PluginValue::integer(MOST_ITEMS);
        match self.ask_object(&what, "iterate", handle, ("at_most", &at_most))? {
            PluginValue::List(items) => Ok(items),
            _ => Err(PluginError::new(
                PluginErrorKind::Protocol,
                "Python sent no items",
            )),
        }
    }

    /// Tells whether a path below an input is to be rendered, by all path filters and folder filters.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn keep_path(&mut self, path: &Path) -> Result<bool, PluginError> {
        let kept = self.keep_paths(&[path])?;
        Ok(kept.first().copied().unwrap_or(true))
    }

    /// Tells of each path below an input whether it is to be rendered; one exchange for all of them.
    ///
    /// # Errors
    ///
    /// As [`PluginHost::call`].
    pub fn keep_paths<P: AsRef<Path>>(&mut self, paths: &[P]) -> Result<Vec<bool>, PluginError> {
        let mut request = begin_request("keep", 1);
        request.text("paths");
        write_paths(&mut request, paths, true).map_err(|error| refused("a path", &error))?;
        match self.ask("a path filter", request.finish())? {
            PluginValue::List(kept) if kept.len() == paths.len() => {
                Ok(kept.iter().map(PluginValue::is_true).collect())
            }
            _ => Err(PluginError::new(
                PluginErrorKind::Protocol,
                "Python sent no answer for each path",
            )),
        }
    }

    /// Returns the files that Python opened so far, besides its own library and installed packages, in order of names.
    pub fn read_files(&self) -> Vec<PathBuf> {
        self.reads.files.iter().cloned().collect()
    }

    /// Returns all that plugins read so far.
    pub fn reads(&self) -> &PluginReads {
        &self.reads
    }

    /// Returns whether its answers stay true until something changes that it read, as far as that is seen: it still
    /// runs, has started no program and asked nothing of the network.
    ///
    /// State that plugins hold is not looked at: a function that counts its calls goes on counting.
    pub fn can_stay(&self) -> bool {
        !self.is_over && self.reads.programs.is_empty() && !self.reads.network
    }

    /// Forgets the objects that stayed in Python for answers, so that only what was offered can be asked.
    ///
    /// # Errors
    /// The process has ended.
    pub fn forget_answers(&mut self) -> Result<(), PluginError> {
        let request = begin_request("forget", 0);
        self.ask("to forget answers", request.finish()).map(drop)
    }

    /// Returns what plugins printed since it was asked last.
    pub fn printed(&mut self) -> String {
        if self.is_over {
            return self.process.take_printed(None);
        }
        self.prints += 1;
        let mark = format!("\0printed {}\0", self.prints).into_bytes();
        let mut request = begin_request("print", 1);
        request.text("mark");
        let value = PluginValue::Bytes(Zeroizing::new(mark.clone()));
        if request.value(&value).is_ok() {
            self.process.send(request.finish());
        }
        if self.process.receive(self.call_timeout).is_ok() {
            return self.process.take_printed(Some(&mark));
        }
        self.is_over = true;
        self.process.kill();
        self.process.take_printed(None)
    }

    /// Asks for something of an object that stays in Python, by one argument with its name.
    fn ask_object(
        &mut self,
        what: &str,
        request: &str,
        handle: &Handle,
        (name, argument): (&str, &PluginValue),
    ) -> Result<PluginValue, PluginError> {
        let mut writer = begin_request(request, 2);
        writer.text("of");
        writer.handle(handle.id);
        writer.text(name);
        let written = writer.value(argument);
        written.map_err(|error| refused(what, &error))?;
        self.ask(what, writer.finish())
    }

    fn ask(&mut self, what: &str, request: Zeroizing<Vec<u8>>) -> Result<PluginValue, PluginError> {
        if self.is_over {
            return Err(PluginError::new(
                PluginErrorKind::Died,
                format!("the process of the plugins has ended, and {what} was asked for"),
            ));
        }
        self.process.send(request);
        self.answer(what, self.call_timeout)
    }

    /// Waits for the answer to what was sent.
    fn answer(&mut self, what: &str, within: Duration) -> Result<PluginValue, PluginError> {
        let reply = match self.process.receive(within) {
            Ok(reply) => reply,
            Err(NoReply::TimeOver) => return self.answer_late(what, within),
            Err(no_reply) => return Err(self.end_without_reply(what, &no_reply)),
        };
        let answer = self.read_reply(&reply).map_err(|error| {
            let message = format!("Python sent {error}");
            PluginError::new(PluginErrorKind::Protocol, message)
        })?;
        answer.map_err(|error| self.read_error(what, &error))
    }

    /// Ends a process that is out of time, and says where it was.
    fn answer_late(&mut self, what: &str, within: Duration) -> Result<PluginValue, PluginError> {
        let mut where_is = WireWriter::default();
        where_is.text("where");
        self.process.send(where_is.finish());
        let place = self.process.receive(TELL_WHERE);
        self.is_over = true;
        self.process.kill();
        let message = format!("{what} took longer than {}", shown(within));
        let mut error = PluginError::new(PluginErrorKind::Timeout, message);
        if let Ok(reply) = place
            && let Ok(told) = WireReader::new(&reply).value()
        {
            error.frames = frames(told.get("where"));
        }
        error.printed = self.process.take_printed(None);
        Err(error.with_hint("give it more time, or find out what it waits for"))
    }

    fn end_without_reply(&mut self, what: &str, no_reply: &NoReply) -> PluginError {
        self.is_over = true;
        let (kind, message) = if let NoReply::Malformed(why) = no_reply {
            self.process.kill();
            (PluginErrorKind::Protocol, format!("Python sent {why}"))
        } else {
            let status = self.process.bury();
            let message = format!("`{}` ended ({status}) before {what} answered", self.command);
            (PluginErrorKind::Died, message)
        };
        let mut error = PluginError::new(kind, message);
        error.printed = self.process.take_printed(None);
        error
    }

    /// Reads a reply: an answer and what was read for it.
    fn read_reply(&mut self, reply: &[u8]) -> Result<Result<PluginValue, PluginValue>, WireError> {
        let mut reader = WireReader::new(reply);
        let PluginValue::Map(mut entries) = reader.value()? else {
            return Err(WireError::Malformed);
        };
        self.reads.add(&reader.value()?);
        match (entries.pop(), reader.is_at_end()) {
            (Some((key, value)), true) if key.as_text() == Some("value") => Ok(Ok(value)),
            (Some((key, value)), true) if key.as_text() == Some("error") => Ok(Err(value)),
            _ => Err(WireError::Malformed),
        }
    }

    fn read_error(&mut self, what: &str, error: &PluginValue) -> PluginError {
        let field = |name: &str| {
            error
                .get(name)
                .and_then(PluginValue::as_text)
                .unwrap_or_default()
        };
        let message = field("message").to_owned();
        let mut made = match field("kind") {
            "unsendable" => {
                let message = format!("{what} gave {message}");
                PluginError::new(PluginErrorKind::Protocol, message)
            }
            "module" => {
                let hint = hint_for_module(field("module"), &self.command);
                PluginError::new(PluginErrorKind::MissingModule, message).with_hint(hint)
            }
            _ => PluginError::new(PluginErrorKind::Exception, message),
        };
        if error.get("syntax") == Some(&PluginValue::Bool(true)) && is_too_old(field("version")) {
            made.hint = Some(format!(
                "`{}` is Python {}, and makejinja needs 3.12 or later; name another command if that is why",
                self.command,
                field("version")
            ));
        }
        made.frames = frames(error.get("frames"));
        made.printed = self.printed();
        made
    }
}

/// Tells whether a version is older than makejinja supports.
fn is_too_old(version: &str) -> bool {
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or_default());
    (parts.next(), parts.next()) < (Some(3), Some(12))
}

fn hint_for_module(module: &str, command: &str) -> String {
    let top = module.split('.').next().unwrap_or_default();
    if top == "makejinja" {
        return "plugins see a stand-in for `makejinja`, which has `plugin`, `loader` and `config` alone".to_owned();
    }
    format!(
        "install what provides `{top}` for `{command}`, add its folder to `import_paths`, or name another command that runs Python"
    )
}

fn refused(what: &str, error: &WireError) -> PluginError {
    PluginError::new(PluginErrorKind::Protocol, format!("{what} holds {error}"))
}

fn shown(time: Duration) -> String {
    if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{} ms", time.as_millis())
    }
}

fn frames(told: Option<&PluginValue>) -> Vec<PluginFrame> {
    let Some(PluginValue::List(told)) = told else {
        return Vec::new();
    };
    let frame = |told: &PluginValue| {
        let PluginValue::List(parts) = told else {
            return None;
        };
        Some(PluginFrame {
            file: PathBuf::from(parts.first()?.as_text()?),
            line: number(parts.get(1)?)?,
            function: parts.get(2)?.as_text()?.to_owned(),
        })
    };
    told.iter().filter_map(frame).collect()
}

fn start_process(spec: &HostSpec) -> Result<HostProcess, PluginError> {
    let missing = PluginErrorKind::MissingInterpreter;
    let (program, before) = spec
        .command
        .split_first()
        .ok_or_else(|| PluginError::new(missing, "no command is named that runs Python"))?;
    let mut command = Command::new(program);
    command.args(before).args(["-B", "-c", SCRIPT]);
    command.current_dir(&spec.folder);
    if let Some(environment) = &spec.environment {
        command.env_clear();
        command.envs(environment.iter().map(|(name, value)| (name, value)));
    }
    let settings = [
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONIOENCODING", "utf-8:backslashreplace"),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONUTF8", "1"),
    ];
    command.envs(settings);
    HostProcess::start(command).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound && spec.folder.is_dir() {
            let message = format!("`{program}`, which runs the plugins, is not installed");
            PluginError::new(missing, message)
                .with_hint("install Python 3.12 or later, or name another command that runs Python")
        } else {
            let message = format!(
                "`{program}` cannot be started in `{}`: {error}",
                spec.folder.display()
            );
            PluginError::new(missing, message)
        }
    })
}

/// Begins a request; that many fields have to follow, each after its name.
fn begin_request(what: &str, fields: usize) -> WireWriter {
    let mut request = WireWriter::default();
    request.begin_map(1 + fields);
    request.text("do");
    request.text(what);
    request
}

fn write_paths<P: AsRef<Path>>(
    request: &mut WireWriter,
    paths: &[P],
    as_objects: bool,
) -> Result<(), WireError> {
    request.begin_list(paths.len());
    for path in paths {
        let path = path.as_ref();
        if as_objects {
            request.value(&PluginValue::Path(path.to_owned()))?;
        } else {
            request.text(path.to_str().ok_or(WireError::NoUnicodePath)?);
        }
    }
    Ok(())
}

fn start_request(spec: &HostSpec) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let mut request = begin_request("start", 5);
    request.text("own_group");
    request.value(&PluginValue::Bool(cfg!(unix)))?;
    request.text("import_paths");
    write_paths(&mut request, &spec.import_paths, false)?;
    request.text("plugins");
    request.begin_list(spec.plugins.len());
    for plugin in &spec.plugins {
        request.text(plugin);
    }
    request.text("config");
    request.value(&spec.config)?;
    request.text("data");
    request.value(&spec.data)?;
    Ok(request.finish())
}

fn call_request(
    id: u64,
    context: Option<&PluginValue>,
    arguments: &[PluginValue],
    named: &[(String, PluginValue)],
) -> Result<Zeroizing<Vec<u8>>, WireError> {
    let mut request = begin_request("call", if context.is_some() { 4 } else { 3 });
    request.text("callee");
    request.handle(id);
    if let Some(context) = context {
        request.text("context");
        request.value(context)?;
    }
    request.text("arguments");
    request.begin_list(arguments.len());
    for argument in arguments {
        request.value(argument)?;
    }
    request.text("named");
    request.begin_map(named.len());
    for (name, value) in named {
        request.text(name);
        request.value(value)?;
    }
    Ok(request.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told() {
        assert!(is_too_old("3.11"));
        assert!(is_too_old("2.7"));
        assert!(!is_too_old("3.12"));
        assert!(!is_too_old("4.0"));
    }
}
