//! The file of an export: FILE.part until it is whole, so that nothing that was cut off bears the name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::refusal::refuse;

/// A file under way. Dropped before [`Part::finish`], it is removed.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    part: PathBuf,
    is_whole: bool,
}

impl Part {
    /// Makes FILE.part, which must not be there: of two exports to one name the second would end up in the file of the first.
    pub(super) fn create(path: &Path) -> anyhow::Result<(Self, File)> {
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return refuse(format!("{} is no file: write --output FILE, or - for standard output", path.display()));
        };
        let mut name = name.to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        // a new file or none: no link that lies there leads the export elsewhere
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => Ok((Self { path: path.to_owned(), part, is_whole: false }, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => refuse(format!(
                "{} is there: another export writes it, or one was killed; remove it if none does",
                part.display()
            )),
            Err(error) => refuse(format!("cannot make {}: {error}", part.display())),
        }
    }

    /// Gives the file its name, once everything is on the disk.
    pub(super) fn finish(mut self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(&self.part, &self.path)?;
        self.is_whole = true;
        // without this a power cut may undo the name
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_whole {
            // what cannot be removed is refused by the next export
            let _ = fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_name_is_given_to_what_is_whole() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("focus.csv");
        let (part, mut file) = Part::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        let second = Part::create(&path).unwrap_err();
        assert!(second.is::<crate::cli::Refused>() && second.to_string().contains("focus.csv.part is there"));
        drop(part);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left of what was cut off");
        let (part, mut file) = Part::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        part.finish(&file).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_leads_nowhere_else() {
        let directory = tempfile::TempDir::new().unwrap();
        let victim = directory.path().join("victim");
        fs::write(&victim, b"mine").unwrap();
        let path = directory.path().join("export.csv");
        std::os::unix::fs::symlink(&victim, directory.path().join("export.csv.part")).unwrap();
        assert!(Part::create(&path).is_err(), "a link in the place of the part is not followed");
        fs::remove_file(directory.path().join("export.csv.part")).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let (part, file) = Part::create(&path).unwrap();
        part.finish(&file).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine", "a link in the place of the file is replaced");
        for none in [
            directory.path(),
            Path::new("/"),
            Path::new(""),
            directory.path().join("..").as_path(),
            Path::new("/no/such/x"),
        ] {
            assert!(Part::create(none).unwrap_err().is::<crate::cli::Refused>(), "{}", none.display());
        }
    }
}
