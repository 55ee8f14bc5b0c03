-- What tasks.py gives to MySQL each time that it was started: the table of the notes, and a first note in an
-- empty one. Each statement may run again and again.
CREATE TABLE IF NOT EXISTS notes (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    text VARCHAR(500) NOT NULL,
    written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
) DEFAULT CHARACTER SET utf8mb4;
INSERT INTO notes (text)
SELECT 'The seed in services/mysql/notes.sql wrote this note.' WHERE NOT EXISTS (SELECT 1 FROM notes);
