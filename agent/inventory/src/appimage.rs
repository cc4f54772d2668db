//! AppImages, where people keep them: `pkg:appimage/<name>@<version>`.
//!
//! A file is one by its magic number, whatever its name. Name and version are those of the desktop entry at the top of the
//! file system that it carries. Format: <https://github.com/AppImage/AppImageSpec/blob/master/draft.md>: an ELF file
//! with `AI` and the type at byte 8; in type 2 a SquashFS image follows the ELF file's section headers. Type 1 is an ISO
//! 9660 image, which is not read.

mod elf;
mod squashfs;

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use backhand::{BackhandError, FilesystemReader, InnerNode};

use crate::{
    desktop::entry::{self, Entry},
    draft::{Draft, Item},
    folder::{Kind, Opened},
    limits::{Budget, Exhausted, MAX_ENTRY_BYTES},
    site::Site,
};

/// Where the system, and a home, may have them. The home itself is one of the places.
const IN_SYSTEM: &[&str] = &["opt", "opt/appimages", "usr/local/bin"];
const IN_HOME: &[&str] = &[".local/bin", "AppImages", "Applications", "Desktop", "Downloads", "bin", HOME];

const HOME: &str = "";

/// Of these, where other things come and go.
const BUSY: &[&str] = &[HOME, "Desktop", "Downloads"];

/// How browsers and download managers name what they have not finished. Without its end an AppImage doesn't start.
const UNFINISHED: &[&str] = &[".crdownload", ".part", ".partial", ".tmp"];

/// The most AppImages in one scope. Stops: a folder of thousands, each of which has to be unpacked a little.
const MAX_APPIMAGES: usize = 200;

pub(crate) fn read(site: &Site<'_>, draft: &mut Draft<'_>) {
    let (mut budget, mut left) = (Budget::new(), MAX_APPIMAGES);
    for folder in site.choose(IN_SYSTEM, IN_HOME).iter().map(Path::new) {
        if let Err(exhausted) = list(site, folder, draft, &mut budget, &mut left) {
            draft.gap(&site.root.path(folder), None, exhausted);
        }
    }
}

/// Where downloads and screenshots are written is not watched: each piece of a large one would be a change.
pub(crate) fn watch(site: &Site<'_>) -> Vec<PathBuf> {
    let folders = site.choose(IN_SYSTEM, IN_HOME).iter().filter(|folder| !BUSY.contains(folder)).map(PathBuf::from);
    folders.filter(|folder| site.root.is_there(folder)).collect()
}

fn list(
    site: &Site<'_>,
    folder: &Path,
    draft: &mut Draft<'_>,
    budget: &mut Budget,
    left: &mut usize,
) -> Result<(), Exhausted> {
    for name in draft.names(&site.root, folder, budget, |kind| kind == Kind::File)? {
        // What a home has hidden at its top are settings.
        if folder == Path::new(HOME) && name.starts_with('.') {
            continue;
        }
        let path = folder.join(&name);
        let shown = site.root.path(&path);
        match site.root.open(&path) {
            Ok(Opened::File(file)) => match kind(&file) {
                Some(_) if *left == 0 => return Err(Exhausted::Entries(MAX_APPIMAGES)),
                Some(kind) => {
                    *left -= 1;
                    appimage(file, &kind, &name, &shown, draft);
                }
                None => {}
            },
            Ok(Opened::Missing | Opened::Folder | Opened::Special) => {}
            Err(error) if site.is_home() && is_closed(&error) => {}
            Err(error) => draft.gap(&shown, None, error),
        }
    }
    Ok(())
}

/// Whether a file can't be read by whoever lists it. In a home that is its person, who can't start such an AppImage either: it
/// has to read itself to unpack what it carries.
fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// What sort of AppImage a file is; none if it isn't one.
fn kind(mut file: &File) -> Option<elf::Kind> {
    let mut head = [0; elf::HEADER_BYTES];
    file.read_exact(&mut head).ok()?;
    elf::kind(&head)
}

/// Lists one, or notes why not.
fn appimage(file: File, kind: &elf::Kind, name: &str, shown: &Path, draft: &mut Draft<'_>) {
    let offset = match *kind {
        elf::Kind::One => {
            let reason = format!("`{name}` is an AppImage of type 1, whose name can't be read");
            return draft.gap(shown, None, reason);
        }
        elf::Kind::Two(offset) => offset,
    };
    match superblock(&file, offset) {
        Err(error) => draft.gap(shown, Some(offset), unread(&error)),
        Ok(Err(unfit)) if unfit.is_unfinished() && UNFINISHED.iter().any(|end| name.ends_with(end)) => {}
        Ok(Err(unfit)) => draft.gap(shown, Some(offset), unfit),
        Ok(Ok(())) => offer(file, offset, name, shown, draft),
    }
}

/// Whether the file system that follows the runtime can be read.
fn superblock(mut file: &File, offset: u64) -> io::Result<Result<(), squashfs::Unfit>> {
    let room = file.metadata()?.len().saturating_sub(offset);
    let mut bytes = Vec::new();
    if room > 0 {
        file.seek(SeekFrom::Start(offset))?;
        file.take(squashfs::SUPERBLOCK_BYTES as u64).read_to_end(&mut bytes)?;
    }
    Ok(squashfs::check(&bytes, room))
}

fn offer(file: File, offset: u64, file_name: &str, shown: &Path, draft: &mut Draft<'_>) {
    // A person's file can be anything. Whatever a library makes of it, the other listings are not lost with it.
    let read = std::panic::catch_unwind(|| desktop_entry(file, offset));
    match read.unwrap_or_else(|_| Err("the AppImage's file system breaks its reader".to_owned())) {
        Ok(entry) => {
            let name = entry.name.as_deref().unwrap_or(file_name);
            let item =
                Item { version: entry.version.as_deref(), display_name: Some(name), ..Item::new("appimage", name) };
            draft.offer_at(shown, &item);
        }
        Err(reason) => draft.gap(shown, Some(offset), reason),
    }
}

fn unread(error: &io::Error) -> String {
    format!("the AppImage's file system can't be read: {error}")
}

/// The same for an error of the library's, which says nothing itself.
fn unread_by_library(error: BackhandError) -> String {
    unread(&io::Error::from(error))
}

/// The desktop entry at the top of the file system.
fn desktop_entry(mut file: File, offset: u64) -> Result<Entry, String> {
    file.seek(SeekFrom::Start(0)).map_err(|error| unread(&error))?;
    let system = FilesystemReader::from_reader_with_offset(BufReader::new(file), offset).map_err(unread_by_library)?;
    let at_top =
        |path: &Path| path.parent() == Some(Path::new("/")) && path.extension().is_some_and(|e| e == "desktop");
    let node = system.files().find(|node| at_top(&node.fullpath)).ok_or("the AppImage has no desktop entry")?;
    let mut target = node;
    if let InnerNode::Symlink(link) = &node.inner {
        let path = Path::new("/").join(&link.link);
        target = system.files().find(|node| node.fullpath == path).ok_or("its desktop entry leads nowhere")?;
    }
    let InnerNode::File(basic) = &target.inner else {
        return Err("the AppImage's desktop entry is not a file".to_owned());
    };
    let mut bytes = Vec::new();
    let reader = system.file(basic);
    reader.reader().take(MAX_ENTRY_BYTES).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    entry::parse(&bytes).map_err(|broken| broken.to_string())
}
